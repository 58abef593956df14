"""The floor that recurrent networks have to beat, beside the runs it belongs to."""

from __future__ import annotations

import json
from pathlib import Path

from seqnorm import data
from seqnorm.config import RunConfig
from seqnorm.models.bag_of_words import bag_of_words_accuracy


def write_floor(config: RunConfig) -> Path:
    """Scores a bag of words on the run's data and writes floors.json into its ``runs_dir``.

    Entries of other data sets that the file already has are kept.

    Returns:
        The path of floors.json, which `seqnorm.analysis` reads.
    """
    path = Path(config.runs_dir) / "floors.json"
    floors = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    floors[config.data.name] = bag_of_words_accuracy(data.load(config.data, config.seed))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(floors, indent=2) + "\n", encoding="utf-8")
    return path
