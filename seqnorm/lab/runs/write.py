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
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data import scale
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.durable import remove_unfinished, sync, write_bytes, write_text, writing
from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.checkpoint import CHECKPOINT, RUN, pack
from seqnorm.lab.runs.code import own_parts, warn_of_other_code
from seqnorm.lab.runs.environment import environment
from seqnorm.lab.runs.files import FAILURE, read_object
from seqnorm.lab.runs.naming import run_prefix
from seqnorm.lab.runs.read import METRICS
from seqnorm.lab.runs.result import RESULT, Result
from seqnorm.lab.runs.stopped import held, identity, stopped_run
from seqnorm.lab.tracking.sink import MultiSink


class RunFolder:
    """The folder of one run.

    Args:
        path: the folder, which exists.
        saved: what the run has left if it was stopped; None for a new one.

    Attributes:
        config, sinks: of the run, once the folder is opened.
    """

    config: RunConfig
    sinks: MultiSink

    def __init__(self, path: Path, saved: dict[str, Any] | None = None) -> None:
        self.path, self.saved = path, saved

    @classmethod
    def create(cls, config: RunConfig, name: str | None = None) -> RunFolder:
        """Makes the folder and writes config.yaml and environment.json.

        Without a name that was given, it says data, network, norm, seed and time; four random
        digits keep runs apart that start within the same second, also in different processes:
        making the folder is what reserves it.

        Raises:
            UserError: if the folder cannot be made, or holds a finished run.
        """
        moment = time.strftime("%Y%m%d-%H%M%S")
        parent = Path(config.runs_dir).expanduser()
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
            folder.write_json("environment.json", environment(config))
        except BaseException:
            shutil.rmtree(path)
            raise
        return folder

    @classmethod
    @contextmanager
    def opened(cls, config: RunConfig, name: str | None, sinks: MultiSink) -> Iterator[RunFolder]:
        """Makes the folder, or finds that of the same run which was stopped, and starts the sinks.

        At the end of the block they are closed. A refusal, of the sinks or later, leaves no folder
        that was not there before. A run that fails leaves its folder with ``error.txt``: what it
        had printed, and the traceback. Meanwhile no other process takes the folder for one that
        was stopped.

        Raises:
            UserError: as of `create`, of `stopped_run`, and of the sinks.
        """
        stopped = stopped_run(config, name)
        folder = cls(*stopped) if stopped else cls.create(config, name)
        folder.config, folder.sinks = config, sinks
        try:
            with (
                held(folder.path),
                console.copied() as printed,
                writing(folder.path),
                sinks,
            ):
                folder._start(config, sinks)
                yield folder
        except UserError:
            folder._leave_nothing()
            raise
        except Exception as error:
            folder._keep_reason(error, printed.text())
            raise

    def _start(self, config: RunConfig, sinks: MultiSink) -> None:
        try:
            if self.saved:
                self._note_the_stop()
            since = self.saved["sinks"] if self.saved else None
            sinks.start(asdict(config), self.name, self.path, since)
        except BaseException:
            sinks.close(1)
            self._leave_nothing()
            raise

    def _leave_nothing(self) -> None:
        if not (self.path / CHECKPOINT).exists():  # or it is work that can be gone on with
            shutil.rmtree(self.path, ignore_errors=True)

    def _note_the_stop(self) -> None:
        """Adds where the run goes on to environment.json, and removes what is past."""
        kept = read_object(self.path / "environment.json")
        warn_of_other_code([(self.path, kept)])
        kept.setdefault("resumed", []).append(environment(self.config))
        (self.path / FAILURE).unlink(missing_ok=True)
        remove_unfinished(self.path)
        self.write_json("environment.json", kept)

    def note_devices(self, devices: Mapping[str, Any]) -> None:
        """Adds the devices that train together to environment.json, where the run goes on there."""
        kept = read_object(self.path / "environment.json")
        latest = kept.get("resumed", [kept])[-1]
        latest["devices"] = dict(devices)
        self.write_json("environment.json", kept)

    def state(self) -> dict[str, Any]:
        """What a checkpoint says of the folder: whose it is, and what the sinks have."""
        return {RUN: identity(self.config), "sinks": self.sinks.state()}

    def save(self, state: dict[str, Any]) -> None:
        """Writes checkpoint.npz in the place of the one before.

        Raises:
            DiskError: if the disk does not take it.
        """
        sync(self.path / METRICS)  # which a checkpoint says how far to trust
        write_bytes(self.path / CHECKPOINT, pack(state))

    def _keep_reason(self, error: Exception, printed: str) -> None:
        if not self.path.exists():  # it ended before it began
            return
        path = self.path / FAILURE
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
        (self.path / CHECKPOINT).unlink(missing_ok=True)


class NoFolder:
    """In the place of a run folder where another process keeps the run: nothing is written.

    Args:
        path: where the other one keeps its runs, for messages.
        saved: what the run has left if it was stopped; None for a new one.
    """

    def __init__(self, path: Path, saved: dict[str, Any] | None) -> None:
        self.path, self.saved, self.sinks = path, saved, MultiSink([])

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def save(self, state: dict[str, Any]) -> None:
        """Does nothing."""


def _origins(config: RunConfig) -> str:
    """A comment line for each part that is not ours: where it came from, and its version."""
    return "".join(
        f"# {part.group}={part.name} is of {part.origin}\n" for part in own_parts(config)
    )
