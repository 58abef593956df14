"""The formats: what writes each, what runs it, and what it cannot hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.trained import Trained

Answers = dict[str, NDArray]
Run = Callable[[NDArray], Answers]


@dataclass(frozen=True)
class Format:
    """One of them.

    Attributes:
        runtime: what runs it.
        write: writes the model of `answering` into a folder, which exists.
        open: what was written there, as a function of padded rows; `answering`'s names and answers.
        lacks: what of the run the format does not hold, in words.
        rows: how many it takes at a time; None for any number.
    """

    runtime: str
    write: Callable[[Trained, keras.Model, Path], None]
    open: Callable[[Path], Run]
    lacks: Callable[[Trained], list[str]]
    rows: int | None = None


def _write_keras(trained: Trained, model: keras.Model, folder: Path) -> None:
    model.save(folder / "model.keras")


def _open_keras(folder: Path) -> Run:
    model = keras.models.load_model(folder / "model.keras", compile=False)
    return lambda rows: _arrays(model.predict_on_batch(rows))


def _write_saved_model(trained: Trained, model: keras.Model, folder: Path) -> None:
    from seqnorm.lab.export.saved_model import write

    write(trained, model, folder)


def _open_saved_model(folder: Path) -> Run:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))  # a signature alone would let go of the variables
    serve = loaded.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]

    def run(rows: NDArray, _kept: Any = loaded) -> Answers:
        return _arrays(serve(**{name: tf.constant(rows)}))

    return run


def _write_onnx(trained: Trained, model: keras.Model, folder: Path) -> None:
    with warnings.catch_warnings():
        # Keras's patch of tf2onnx asks NumPy for a name that it no longer has.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        model.export(folder / "model.onnx", format="onnx", verbose=False)


def _open_onnx(folder: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "model.onnx")
    (given,) = session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    return lambda rows: dict(zip(names, session.run(names, {given.name: rows}), strict=True))


def _write_litert(trained: Trained, model: keras.Model, folder: Path) -> None:
    import tensorflow as tf

    given = model.inputs[0]
    # One row: with a number of rows that is open, the loop over time needs TensorFlow's own
    # operations, which no runtime of LiteRT has by itself; the converter would only warn.
    one = keras.InputSpec(given.dtype, shape=(1, *given.shape[1:]), name=given.name)
    model.export(
        folder / "model.tflite",
        format="litert",
        verbose=False,
        input_signature=[one],
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
    )


def _open_litert(folder: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(folder / "model.tflite"))
    serve = interpreter.get_signature_runner()
    (name,) = serve.get_input_details()
    return lambda rows: _arrays(serve(**{name: rows}))


def _arrays(answers: Any) -> Answers:
    return {name: np.asarray(each) for name, each in answers.items()}


def _without_texts(trained: Trained) -> list[str]:
    if trained.vocabulary is None:
        return []
    return ["texts: it takes ids, and encoding.json says how they are made"]


def _of_saved_model(trained: Trained) -> list[str]:
    from seqnorm.lab.export.texts import obstacle

    reason = trained.vocabulary and obstacle(trained.vocabulary)
    return [f"texts: {reason}"] if reason else []


FORMATS = {
    "keras": Format("Keras, where seqnorm is installed", _write_keras, _open_keras, _without_texts),
    "saved_model": Format(
        "TensorFlow alone", _write_saved_model, _open_saved_model, _of_saved_model
    ),
    "onnx": Format(
        "onnxruntime",
        _write_onnx,
        _open_onnx,
        _without_texts,
    ),
    "litert": Format(
        "ai-edge-litert",
        _write_litert,
        _open_litert,
        lambda trained: ["more than one row at a time", *_without_texts(trained)],
        rows=1,
    ),
}
