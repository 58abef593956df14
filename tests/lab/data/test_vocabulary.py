from __future__ import annotations

import json
import unicodedata

import pytest

from seqnorm.lab.config.data import TextConfig
from seqnorm.lab.data.spec import UNKNOWN
from seqnorm.lab.data.texts import TextReader
from seqnorm.lab.data.tokenizer import KERAS_WORDS, WORDS, Tokenizer
from seqnorm.lab.data.vocabulary import SPECIAL, Vocabulary, WordCounter


def learn(texts: list[str], num_words: int) -> Vocabulary:
    counter = WordCounter()
    values, _ = counter.read(texts)
    return counter.vocabulary(values, num_words)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't <br /><br />STOP!", ["don't", "stop", "!"]),
        ("A 7/10, really?", ["a", "7/10", "really", "?"]),
        ("'quoted' well-made film...", ["quoted", "well", "made", "film"]),
        ("Amélie café_noir", ["amélie", "café", "noir"]),
        ("", []),
        ("... -- ...", []),
    ],
)
def test_what_a_word_is(text, words):
    counter = WordCounter()
    values, lengths = counter.read([text])
    vocabulary, ids = counter.vocabulary(values, 100)
    assert [vocabulary.words[number] for number in ids[values]] == words
    assert lengths.tolist() == [len(words)]
    assert [vocabulary.words[number] for number in vocabulary.encode(text)] == words


def test_ids_follow_frequency_and_ties_the_alphabet():
    vocabulary = learn(["pear fig apple fig", "apple kiwi fig"], 100)
    assert vocabulary.words == (*SPECIAL, "fig", "apple", "kiwi", "pear")


def test_ids_do_not_depend_on_the_order_of_texts():
    texts = ["b a c", "c d", "e a", "d b"]
    assert learn(texts, 6).words == learn(texts[::-1], 6).words


def test_num_words_is_the_size_of_the_table_with_special_ids():
    assert learn(["a a a b b c"], 5).words == (*SPECIAL, "a", "b")
    assert learn(["a a a b b c"], 5).size == 5


def test_rare_words_get_no_id():
    counter = WordCounter()
    values, _ = counter.read(["a a a b b c"])
    vocabulary, ids = counter.vocabulary(values, 100, min_count=2)
    assert vocabulary.words == (*SPECIAL, "a", "b")
    assert ids[values].tolist() == [3, 3, 3, 4, 4, UNKNOWN]


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        (Tokenizer(lowercase=False), ["Don't", "well", "made", "!"]),
        (Tokenizer(strip_breaks=False), ["don't", "br", "well", "made", "!"]),
        (Tokenizer(KERAS_WORDS), ["don't", "well", "made"]),
        (Tokenizer(KERAS_WORDS, False, False), ["Don't", "br", "well", "made"]),
    ],
)
def test_the_options_of_the_tokenizer(tokenizer, words):
    assert tokenizer.split("Don't<br />well-made!") == words


def test_words_outside_the_counted_part_are_unknown():
    counter = WordCounter()
    train, _ = counter.read(["good film"])
    test, _ = counter.read(["good play"])
    vocabulary, ids = counter.vocabulary(train, 100)
    assert "play" not in vocabulary.words
    assert ids[test].tolist() == [vocabulary.ids["good"], UNKNOWN]


def test_encode_and_decode_are_inverse_for_known_words():
    vocabulary = learn(["a good film !"], 100)
    assert vocabulary.decode(vocabulary.encode("A good film!")) == "a good film !"
    assert vocabulary.decode([1, vocabulary.ids["good"], UNKNOWN, 0, 0]) == "good <unknown>"


def test_it_comes_back_from_its_file(tmp_path):
    vocabulary = Vocabulary([*SPECIAL, "amélie", "don't"], Tokenizer(r"\S+", lowercase=False))
    vocabulary.save(tmp_path / "vocabulary.json")
    loaded = Vocabulary.load(tmp_path / "vocabulary.json")
    assert loaded.words == vocabulary.words
    assert loaded.tokenizer == vocabulary.tokenizer
    assert loaded.encode("amélie Amélie !").tolist() == [3, UNKNOWN, UNKNOWN]


def test_a_file_of_an_older_run_has_only_the_pattern(tmp_path):
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps({"pattern": r"\S+", "words": [*SPECIAL, "good"]}))
    assert Vocabulary.load(path).encode("GOOD<br />Good").tolist() == [3, 3]


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"words": [*SPECIAL]})])
def test_another_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"received path='.*other\.json'"):
        Vocabulary.load(path)


@pytest.mark.parametrize("words", [["a", "b", "c", "d"], [*SPECIAL, "a", "a"]])
def test_special_words_come_first_and_each_word_once(words):
    with pytest.raises(ValueError, match="distinct words that begin with"):
        Vocabulary(words)


@pytest.mark.parametrize("number", [-1, 4])
def test_decoding_a_strange_id_is_refused(number):
    with pytest.raises(ValueError, match="ids from 0 to 3"):
        Vocabulary([*SPECIAL, "a"]).decode([3, number])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8.5/10, 7,5/10 or 9/10!", ["8.5/10", "7,5/10", "or", "9/10", "!"]),
        ("seen 9/11/2001 for 1.5", ["seen", "9/11", "2001", "for", "1", "5"]),
        ("don\u2019t \u2018quote\u2019 rock\u2019n\u2019roll", ["don't", "quote", "rock'n'roll"]),
        ("a<br/>b<BR>c<br />d", ["a", "b", "c", "d"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("ภาษาไทย ที่นี่", ["ภาษาไทย", "ที่นี่"]),
        (unicodedata.normalize("NFD", "Café Ångström"), ["café", "ångström"]),
        ("İSTANBUL istanbul", ["istanbul", "istanbul"]),
        ("می\u200cخواهم co\xadop", ["می\u200cخواهم", "coop"]),
    ],
)
def test_what_a_word_is_by_unicode(text, words):
    tokenizer = Tokenizer.named("unicode")
    assert tokenizer.split(text) == words
    assert tokenizer.split(unicodedata.normalize("NFD", text)) == words


def test_on_plain_english_both_tokenizers_agree():
    text = "Don't miss it -- 9/10! It's a well-made film, isn't it? <br />The dogs' 2nd."
    assert Tokenizer.named("unicode").split(text) == Tokenizer.named("words").split(text)


def test_a_vocabulary_of_before_reads_text_as_it_did(tmp_path):
    """Files without the newer setting are those of published runs."""
    words = [*SPECIAL, "don", "t"]
    record = {"pattern": WORDS, "lowercase": True, "strip_breaks": True, "words": words}
    (tmp_path / "vocabulary.json").write_text(json.dumps(record))
    assert Vocabulary.load(tmp_path / "vocabulary.json").encode("don\u2019t").tolist() == [3, 4]
    new = Vocabulary([*SPECIAL, "don't"], Tokenizer.named("unicode"))
    new.save(tmp_path / "new.json")
    assert Vocabulary.load(tmp_path / "new.json").encode("Don\u2019t").tolist() == [3]


def test_the_fast_way_finds_the_same_words_as_the_expression(rng):
    """Random text of what the fast way treats apart: apostrophes, marks, spaces, other letters."""
    letters = [
        *"ab9Z_''`!?/.,-<> \t\n\x1f\x85\u2028",
        *("don't", "7/10", "8.5/10", "1/2/3", "it''s", "<br />", "and/or", "caf\u00e9"),
        *("\u0301", "\u2019", "\u0939\u093f", "\xad", "\u0130", "\u00b2", "\u0663/\u0664"),
    ]
    for name in ("unicode", "words"):
        for lowercase in (True, False):
            tokenizer = Tokenizer.named(name, lowercase)
            plain = Tokenizer(tokenizer.pattern + "|(?!)", lowercase, True, name == "unicode")
            for _ in range(2000):
                text = "".join(rng.choice(letters, rng.integers(0, 30)))
                assert tokenizer.split(text) == plain.split(text), ascii(text)


@pytest.mark.parametrize("name", ["unicode", "words", "keras"])
def test_texts_are_counted_in_pieces(name, rng, monkeypatch):
    monkeypatch.setattr("seqnorm.lab.data.vocabulary._TEXTS", 3)
    tokenizer = Tokenizer.named(name)
    parts = ["a", "b'c", " ", "?", "caf\u00e9", "7/10", "\n", "d"]
    texts = ["".join(rng.choice(parts, rng.integers(0, 6))) for _ in range(40)]
    values, lengths = WordCounter(tokenizer).read(iter(texts))
    words = [tokenizer.split(text) for text in ["", *texts]]
    flat = [word for row in words for word in row]
    first = list(dict.fromkeys(flat))
    assert values.tolist() == [first.index(word) for word in flat]
    assert lengths.tolist() == [len(row) for row in words[1:]]
    assert 0 in lengths


def test_no_space_is_part_of_a_word():
    """What the fast way rests on."""
    spaces = [chr(number) for number in range(0x110000) if chr(number).isspace()]
    assert len(spaces) > 20
    for name in ("unicode", "words"):
        assert not any(Tokenizer.named(name).split(space) for space in spaces)


def test_words_are_counted_in_pieces(monkeypatch):
    monkeypatch.setattr("seqnorm.lab.data.vocabulary._PIECE", 3)
    assert learn(["b b a c", "c c b"], 100).words[3:] == ("b", "c", "a")


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 0, 1], ["a", "b", "a"], [0.5, 1.0, 0.0]])
def test_a_loader_gives_a_class_for_each_text(labels):
    reader = TextReader(TextConfig())
    with pytest.raises(ValueError, match=r"a whole number for each text; received \(.*for 3 texts"):
        reader.read(["a film", "two films", "no film"], labels)
