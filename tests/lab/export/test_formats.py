"""Each exported file, in the runtime that it is for, answers as the run it came from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from seqnorm.lab.commands.export import main
from seqnorm.lab.export import encoding
from seqnorm.lab.export.answering import answering
from seqnorm.lab.export.check import write_checked
from seqnorm.lab.export.formats import FORMATS
from seqnorm.lab.export.rows import drawn_rows
from tests.lab.export.conftest import TEXTS
from tests.tiers import exhaustive

PAGE = (Path(__file__).parents[3] / "docs" / "export.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def expected(trained) -> tuple[list[str], np.ndarray]:
    answers = trained.predict(TEXTS)
    likely = [list(answer["probabilities"].values()) for answer in answers]
    return [answer["label"] for answer in answers], np.array(likely)


def assert_same(labels, probabilities, expected):
    assert list(labels) == expected[0]
    np.testing.assert_allclose(probabilities, expected[1], rtol=0, atol=1e-5)


@exhaustive
def test_a_saved_model_takes_texts_and_ids_with_tensorflow_alone(
    run, trained, expected, tmp_path, capsys
):
    assert main([str(run), "--to", "saved_model", "--out", str(tmp_path / "out")]) == 0
    assert "does not hold" not in capsys.readouterr().out
    ids = trained.encode(TEXTS).padded(range(len(TEXTS)))
    np.save(tmp_path / "ids.npy", np.pad(ids, ((0, 0), (0, 3))))
    script = f"""
import sys, numpy as np, tensorflow as tf
model = tf.saved_model.load("out")
texts = model.signatures["texts"](texts=tf.constant({TEXTS!r}))
ids = model.signatures["serving_default"](tokens=tf.constant(np.load("ids.npy")))
np.savez("found.npz", **{{f"texts_{{k}}": v for k, v in texts.items()}}, **ids)
assert not any(name.startswith("seqnorm") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    with np.load(tmp_path / "found.npz", allow_pickle=True) as found:
        for prefix in ("", "texts_"):
            names = [name.decode() for name in found[f"{prefix}label_name"]]
            assert_same(names, found[f"{prefix}probabilities"], expected)
            assert names == [trained.label_names[n] for n in found[f"{prefix}label"]]


def test_onnx_answers_by_the_example_of_the_page(run, expected, tmp_path, monkeypatch, capsys):
    assert main([str(run), "--to", "onnx", "--out", str(tmp_path / "out")]) == 0
    assert "onnx does not hold texts" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path / "out")
    found: dict = {}
    exec(example('["A moving film.", "Long and dull."]', repr(TEXTS)), found)
    names = [found["how"]["label_names"][number] for number in found["label"]]
    assert_same(names, found["probabilities"], expected)


def example(said: str, instead: str) -> str:
    """The code of the page that needs onnxruntime only, for other texts."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (code,) = [block for block in blocks if "onnxruntime" in block and said in block]
    assert "seqnorm" not in code
    return code.replace(said, instead)


def test_litert_takes_a_row_of_any_length_with_its_own_operations(
    run, trained, expected, tmp_path, capsys
):
    assert main([str(run), "--to", "litert", "--out", str(tmp_path / "out")]) == 0
    assert "litert does not hold more than one row at a time" in capsys.readouterr().out
    from ai_edge_litert.interpreter import Interpreter

    answer = Interpreter(str(tmp_path / "out" / "model.tflite")).get_signature_runner()
    rows = trained.encode(TEXTS)
    found = [answer(tokens=np.pad(row, (0, 2))[None]) for row in rows]
    names = [trained.label_names[int(each["label"][0])] for each in found]
    assert_same(names, np.concatenate([each["probabilities"] for each in found]), expected)


def test_keras_reads_its_file_where_seqnorm_is(run, trained, expected, tmp_path):
    assert main([str(run), "--to", "keras", "--out", str(tmp_path / "out")]) == 0
    how = json.loads((tmp_path / "out" / "encoding.json").read_text(encoding="utf-8"))
    assert tuple(how["words"]) == trained.vocabulary.words and how["task"] == "classification"
    assert how["input"] == {"name": "tokens", "dtype": "int32", "shape": ["batch", "time"]}
    wanted = {"dtype": "float32", "shape": ["batch", 3]}
    assert how["outputs"]["probabilities"] == wanted and next(iter(how["outputs"])) == "label"
    model = keras.models.load_model(tmp_path / "out" / "model.keras")
    found = model.predict(trained.encode(TEXTS).padded(range(len(TEXTS))), verbose=0)
    names = [how["label_names"][number] for number in found["label"]]
    assert_same(names, found["probabilities"], expected)


@pytest.mark.parametrize("to", ["onnx", "litert"])
def test_numbers_are_scaled_inside_and_missing_ones_are_padding(
    to, untrained, tmp_path, monkeypatch
):
    few = ("data=adding", "data.examples=40", "data.test_examples=9", "task=regression")
    plain = untrained(*few, "norm=layer")
    scaled = type(plain.scale)(plain.scale.features, (1e4, 0.5), (3.0, 0.1))
    trained = type(plain)(**{**vars(plain), "scale": scaled})
    rng = np.random.default_rng(1)
    rows = [rng.normal(scaled.mean, scaled.spread, (size, 2)) for size in (5, 3, 1)]
    padded = np.full((3, 6, 2), np.nan, np.float32)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    answers = [answer["number"] for answer in trained.predict(rows)]
    kind, model = FORMATS[to], answering(trained)
    checked = write_checked(trained, model, kind, tmp_path, drawn_rows(trained))
    assert checked.difference < 1e-5 and "drawn rows of up to 8 steps" in checked.said("drawn")
    answer = kind.open(tmp_path)
    found = [answer(padded[n : n + 1])["number"][0] for n in range(3)]
    np.testing.assert_allclose(found, answers, atol=1e-5)
    if to == "onnx":  # by the example of the page
        encoding.write(trained, model, tmp_path)
        monkeypatch.chdir(tmp_path)
        said = "[[[0.3, 1.0], [0.1, 2.0], [0.4, 1.5]], [[0.2, 0.5]]]"
        page: dict = {}
        exec(example(said, repr([row.tolist() for row in rows])), page)
        np.testing.assert_allclose(page["answers"][0], answers, atol=1e-5)
