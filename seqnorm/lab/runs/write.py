"""The run folder: plain files, written so that a killed run can never pass for a finished one."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from omegaconf import OmegaConf

from seqnorm.lab import console
from seqnorm.lab.config.schema import BASES, RunConfig
from seqnorm.lab.data import scale
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.durable import sync, write_bytes, write_text, writing
from seqnorm.lab.errors import UserError
from seqnorm.lab.registry import PARTS
from seqnorm.lab.runs.environment import environment
from seqnorm.lab.runs.naming import run_prefix
from seqnorm.lab.runs.result import RESULT, Result
from seqnorm.lab.tracking.sink import MultiSink


class RunFolder:
    """A new folder for one run.

    Args:
        path: the folder, which exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, config: RunConfig, name: str | None = None) -> RunFolder:
        """Makes the folder and writes config.yaml and environment.json.

        Under a name that was given, what an interrupted run has left is removed. Without one,
        the name says data, network, norm, seed and time; four random digits keep runs apart that
        start within the same second, also in different processes: making the folder is what
        reserves it.

        Raises:
            UserError: if the folder cannot be made, or holds a finished run.
        """
        moment = time.strftime("%Y%m%d-%H%M%S")
        parent = Path(config.runs_dir).expanduser()
        if name is not None:
            _remove_unfinished(parent / name)
        while True:
            # Not from the seeded generators: two runs with one seed need two names.
            path = parent / (name or f"{run_prefix(config)}-{moment}-{secrets.token_hex(2)}")
            try:
                parent.mkdir(parents=True, exist_ok=True)
                path.mkdir()
            except FileExistsError:
                if path.is_dir() and name is None:
                    continue
                raise UserError(
                    f"a run needs a folder that it makes; received runs_dir={parent}, where "
                    f"{path.name} came to be meanwhile. Let one process make a run."
                    if path.is_dir()
                    else f"runs_dir must be a folder; received runs_dir={parent}, which is a file. "
                    "Set runs_dir=..."
                ) from None
            except OSError as error:
                raise UserError(
                    f"runs_dir must be a folder that can be written to; received runs_dir={parent} "
                    f"({error.strerror}). Set runs_dir=..."
                ) from error
            break
        folder = cls(path)
        try:
            write_text(path / "config.yaml", _origins(config) + OmegaConf.to_yaml(asdict(config)))
            folder.write_json("environment.json", environment())
        except BaseException:
            shutil.rmtree(path)
            raise
        return folder

    @classmethod
    @contextmanager
    def opened(cls, config: RunConfig, name: str | None, sinks: MultiSink) -> Iterator[RunFolder]:
        """Makes the folder and starts the sinks; at the end of the block they are closed.

        A refusal, of the sinks or later, leaves no folder. A run that fails leaves its folder with
        ``error.txt``: what it had printed, and the traceback.

        Raises:
            UserError: as of `create`, and of the sinks.
        """
        folder = cls.create(config, name)
        try:
            with console.copied() as printed, writing(folder.path), sinks:
                folder._start(config, sinks)
                yield folder
        except UserError:
            shutil.rmtree(folder.path, ignore_errors=True)  # which `_start` may have done
            raise
        except Exception as error:
            folder._keep_reason(error, printed.text())
            raise

    def _start(self, config: RunConfig, sinks: MultiSink) -> None:
        try:
            sinks.start(asdict(config), self.name, self.path)
        except BaseException:
            sinks.close(1)
            shutil.rmtree(self.path)
            raise

    def _keep_reason(self, error: Exception, printed: str) -> None:
        if not self.path.exists():  # it ended before it began
            return
        path = self.path / "error.txt"
        text = console.uncoloured(printed + "".join(traceback.format_exception(error)))
        with suppress(OSError):  # a full disk must not hide what filled it
            write_text(path, text)
            error.add_note(f"This and what the run had printed are in {path}.")

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.path.name

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Writes a JSON file that is either complete or not there."""
        write_text(self.path / name, json.dumps(values, indent=2, allow_nan=False) + "\n")

    def write_model(self, model: keras.Model, dataset: Dataset) -> None:
        """Writes model.keras and what its inputs are made with."""
        with writing(self.path / "model.keras"):
            model.save(self.path / "model.keras")
        self.write_encoding(dataset)

    def write_encoding(self, dataset: Dataset) -> None:
        """Writes what makes the input of a model of a row: its vocabulary, or its scale."""
        if dataset.vocabulary is not None:
            dataset.vocabulary.save(self.path / "vocabulary.json")
        if dataset.scale is not None:
            dataset.scale.save(self.path / scale.FILE)

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes a compressed npz file that is either complete or not there."""
        content = io.BytesIO()
        np.savez_compressed(content, **dict(arrays))  # type: ignore[arg-type]
        write_bytes(self.path / name, content.getvalue())

    def write_predictions(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes predictions.npz: one row per test text, in the order of the test part."""
        self.write_arrays("predictions.npz", arrays)

    def read_predictions(self) -> dict[str, np.ndarray]:
        """What `write_predictions` wrote; empty if it has not been called."""
        path = self.path / "predictions.npz"
        if not path.exists():
            return {}
        with np.load(path) as stored:
            return {name: stored[name] for name in stored.files}

    def finish(self, result: Result) -> None:
        """Writes result.json, whose existence says that the run is finished: its last file."""
        for path in sorted(self.path.iterdir()):
            sync(path)  # or a power cut could leave a result whose model is empty
        self.write_json(RESULT, result.to_json())


def _origins(config: RunConfig) -> str:
    """A comment line for each part that is not ours: where it came from, and its version."""
    chosen = [(group, getattr(config, group).name) for group in BASES]
    own = [PARTS[part] for part in chosen if part in PARTS]
    return "".join(f"# {part.group}={part.name} is of {part.origin}\n" for part in own)


def _remove_unfinished(path: Path) -> None:
    if (path / RESULT).exists():
        raise UserError(
            f"a run is made once; received name={path.name}, whose folder {path} holds a finished "
            "run. Delete the folder to run it again."
        )
    if path.exists():
        shutil.rmtree(path)
