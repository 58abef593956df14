"""What someone who has only the exported file needs to know, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from seqnorm.lab.data.vocabulary import PAD, START, UNKNOWN
from seqnorm.lab.durable import write_text
from seqnorm.lab.export.names import FILE
from seqnorm.lab.trained import Trained


def encoding(trained: Trained, model: keras.Model) -> dict[str, Any]:
    """How rows are made into the input of an exported model, and what its outputs are.

    Args:
        trained: the run.
        model: of `answering`.
    """
    data = trained.config.data
    return {
        "task": trained.task.name,
        "input": {"name": model.inputs[0].name, **_shaped(model.inputs[0])},
        "outputs": {name: _shaped(each) for name, each in model.output.items()},
        "label_names": list(trained.label_names),
        "max_length": data.max_length,
        "truncate": data.truncate,
        **_rows(trained),
    }


def _rows(trained: Trained) -> dict[str, Any]:
    if trained.scale is not None:
        how = {"padding": "NaN", **asdict(trained.scale)}
        if not trained.scale.order:  # else the place in a row of each step that the model takes
            del how["order"]
        return how
    assert trained.vocabulary is not None
    tokenizer = trained.vocabulary.tokenizer
    special = {"padding": PAD, "start": START, "unknown": UNKNOWN}
    pattern = {"steps": tokenizer.steps, "pattern": tokenizer.pattern}
    return {**special, **pattern, "words": trained.vocabulary.words}


def _shaped(tensor: Any) -> dict[str, Any]:
    axes = ["batch", "time", "features"]
    shape = [size or axes[place] for place, size in enumerate(tensor.shape)]
    return {"dtype": tensor.dtype, "shape": shape}


def write(trained: Trained, model: keras.Model, folder: Path) -> None:
    """Writes `FILE`."""
    content = json.dumps(encoding(trained, model), ensure_ascii=False, indent=1)
    write_text(folder / FILE, content + "\n")
