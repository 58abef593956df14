"""The tokenizers in a graph of TensorFlow give the ids that they give in Python."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest

from seqnorm.lab.data.tokenizer import PATTERNS, Tokenizer
from seqnorm.lab.data.vocabulary import SPECIAL, START, Vocabulary, WordCounter
from seqnorm.lab.training import require_tensorflow

# Signs in which TensorFlow, RE2 and Python differ, or which one of the tokenizers knows.
SIGNS = [*"aZ'\u2019`!?/.,79_ \n\t\x0b\xa0\u03a3\u03c3\u0130\xc0\xe9\xdf\xad", "<br/>", "<BR />"]
SIGNS += ["e\u0301", "c\u0327", "\u0915\u093f\u094d", "\u1100\u1161\u11a8"]
NEWER = "\ua7c0 \U00010570X \ua7c0\u0391"  # capitals that TensorFlow does not know


def texts(count: int) -> list[str]:
    rng, every = random.Random(0), range(1, sys.maxunicode + 1)
    found = ["", "\u03a3\u039f\u03a6\u039f\u03a3 \u03a3", "8.5/10 don't <br>x", NEWER]
    for _ in range(count):
        signs = [
            rng.choice(SIGNS) if rng.random() < 0.9 else chr(rng.choice(every)) for _ in range(12)
        ]
        found.append("".join(sign for sign in signs if not 0xD800 <= ord(sign[0]) < 0xE000))
    return found


@pytest.mark.parametrize(
    ("name", "lowercase", "strip_breaks", "truncate"),
    [
        ("unicode", True, True, "head"),
        ("words", True, True, "tail"),
        ("keras", False, False, "head"),
        ("characters", True, False, "tail"),
    ],
)
def test_ids_are_those_of_python(name, lowercase, strip_breaks, truncate):
    require_tensorflow()
    import tensorflow as tf

    from seqnorm.lab.export.texts import Encoder

    tokenizer, told = Tokenizer.named(name, lowercase, strip_breaks), texts(200)
    counter = WordCounter(tokenizer)
    words, _ = counter.vocabulary(counter.read(told)[0], 10_000)
    found = tf.function(Encoder(words, 7, truncate))(tf.constant(told)).numpy().tolist()
    for text, row in zip(told, found, strict=True):
        ids = words.encode(text).tolist()
        kept = [START, *(ids[-6:] if truncate == "head" else ids[:6])]
        assert row == kept + [0] * (len(row) - len(kept)), ascii(text)


def test_letters_are_composed_as_by_python():
    require_tensorflow()
    import tensorflow as tf

    from seqnorm.lab.export.normal_form import Composed

    rng = random.Random(0)
    every = map(chr, [*range(1, 0xD800), *range(0xE000, 0x30000)])
    apart = [sign for sign in every if unicodedata.normalize("NFD", sign) != sign]
    parts = sorted({part for sign in apart for part in unicodedata.normalize("NFD", sign)})
    marks = [part for part in parts if unicodedata.combining(part)]
    pools = [apart, parts, marks, ["a", "\u0f71", "\u0315"]]
    told = ["".join(rng.choice(rng.choice(pools)) for _ in range(9)) for _ in range(3000)]
    told += ["", "plain", *apart]
    found = tf.function(Composed())(tf.constant(told)).numpy()
    wanted = [unicodedata.normalize("NFC", text).encode() for text in told]
    assert found.tolist() == wanted and found.tolist() != [text.encode() for text in told]


def test_an_expression_of_ones_own_has_no_graph():
    from seqnorm.lab.export.texts import obstacle

    assert "none of unicode, words" in (obstacle(Vocabulary(SPECIAL, Tokenizer(r"\w+"))) or "")
    assert {obstacle(Vocabulary(SPECIAL, Tokenizer.named(name))) for name in PATTERNS} == {None}
