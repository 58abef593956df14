"""Weights & Biases as a mirror of the run folder."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from seqnorm.lab.errors import UserError
from seqnorm.lab.flat import flatten
from seqnorm.lab.tracking.scalars import plain_scalar
from seqnorm.lab.tracking.sink import Sink

MODES = ("online", "offline")
# Logged beside every record under their own names, so that they can serve as x axes.
_SHARED = ("epoch", "seconds")
TIME_STEP = "profile/time_step"
VALIDATION = "val_"
FINISH_TIMEOUT = 120.0  # seconds
# Letters that W&B's server takes; its client does not look.
JOB_TYPE_LENGTH, GROUP_LENGTH = 64, 128


def shortened(name: str, length: int) -> str:
    """A name that is not too long, and different for different names: the end is a hash then."""
    if len(name) <= length:
        return name
    return f"{name[: length - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _arm_of(config: Mapping[str, Any]) -> str | None:
    """The job type of a run that belongs to no comparison: what an arm is called by default."""
    parts = [(part, config[part]["name"]) for part in ("cell", "norm") if part in config]
    return " ".join(f"{part}={name}" for part, name in parts) or None


def _import_wandb() -> Any:
    try:
        wandb: Any = import_module("wandb")
    except ImportError:
        wandb = None
    # A folder called "wandb" in the working directory imports as an empty namespace package.
    if wandb is None or not hasattr(wandb, "init"):
        raise ImportError(
            "tracking=wandb needs the package wandb; received an environment without it. Install "
            "it with `pip install wandb`, or keep the default tracking=local."
        )
    return wandb


@contextmanager
def _staged_below(folder: Path) -> Iterator[None]:
    """W&B stages the files of a table in the home directory unless this names another one."""
    before = os.environ.get("WANDB_DATA_DIR")
    os.environ["WANDB_DATA_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["WANDB_DATA_DIR"]
        else:
            os.environ["WANDB_DATA_DIR"] = before


def _say(line: str) -> None:
    """The one line that is left of W&B's own, and where it prints."""
    print(line, file=sys.stderr, flush=True)


class WandbSink(Sink):
    """Mirrors one run to one W&B run of its own.

    Scalars are named "<event>/<name>" with the optimiser step as x axis and as W&B's own step. Each
    array over time steps becomes a histogram per probe ("histogram/<name>"), and when the run
    closes the arrays of the last probe are logged as curves over the time step ("profile/<name>").
    The W&B run never becomes the global `wandb.run`, so that several runs of one process cannot
    write into each other. All files lie under the run folder.

    Validation scores are logged at each epoch under the name that the summary has for that of the
    kept epoch, "val_accuracy", as well: so a sweep can stop a run early by what it chooses by. What
    is logged so does not enter the summary, where a diverged run has none.

    Args:
        project: W&B project.
        entity: W&B user or team; `None` takes the default of the account.
        group: Name under which W&B groups runs, as that of a comparison; `None` hears
            WANDB_RUN_GROUP. What is too long for W&B is shortened there.
        arm: W&B's job type, likewise: what the runs of one arm share; `None` takes cell and norm.
        tags: Tags of the run.
        mode: "online" (needs `wandb login`) or "offline" (files only, upload with `wandb sync`).

    Raises:
        ImportError: If wandb is not installed.
        ValueError: If the mode is unknown.
    """

    def __init__(
        self,
        project: str = "seqnorm",
        entity: str | None = None,
        group: str | None = None,
        arm: str | None = None,
        tags: Sequence[str] = (),
        mode: str = "online",
    ) -> None:
        if mode not in MODES:
            raise ValueError(
                f"WandbSink needs one of the modes {', '.join(MODES)}; received mode={mode!r}. "
                "Set tracking.mode to one of them, or to disabled for no W&B run at all."
            )
        self.project = project
        self.entity = entity
        self.group = group
        self.arm = arm
        self.tags = list(tags)
        self.mode = mode
        self._wandb = _import_wandb()
        self._run: Any = None
        self._last_arrays: dict[str, np.ndarray] | None = None

    def start(
        self, config: dict[str, Any], name: str, folder: Path, since: Any | None = None
    ) -> None:
        """Start the W&B run, or go on with the one that this run had.

        Offline, W&B cannot go on in the same files: it keeps others of the same run beside them,
        which ``wandb sync`` uploads one after the other.

        Raises:
            UserError: If W&B refuses: not logged in, no such entity, no network.
        """
        wandb = self._wandb
        settings = wandb.Settings(
            console="off",  # one process may host several runs; their text would be mixed
            quiet=True,
            silent=self.mode == "offline",
            # Without a network W&B would wait for ever; what is not sent stays on the disk.
            finish_timeout=FINISH_TIMEOUT,
            finish_timeout_raises=True,
        )
        arm = self.arm or _arm_of(config)
        try:
            self._run = wandb.init(
                project=self.project,
                entity=self.entity,
                group=self.group and shortened(self.group, GROUP_LENGTH),
                job_type=arm and shortened(arm, JOB_TYPE_LENGTH),  # whole in the config
                tags=self.tags or None,  # None hears WANDB_TAGS
                name=name,
                dir=str(folder),
                config=flatten(config),  # a sweep's `norm` would replace all of "norm.*"
                mode=self.mode,
                reinit="create_new",
                id=since,
                resume="allow" if since and self.mode == "online" else None,
                settings=settings,
            )
        except (wandb.errors.Error, ValueError) as error:
            advice = (
                "Run `wandb login`, or set tracking.mode=offline and upload it later with "
                "`wandb sync`."
                if self.mode == "online"
                else "Correct project, entity, group or tags."
            )
            raise UserError(
                "tracking=wandb needs settings that W&B takes and, with tracking.mode=online, a "
                f"login and a connection; received tracking.mode={self.mode}, tracking.project="
                f"{self.project!r}, tracking.entity={self.entity!r}, tracking.tags={self.tags} and "
                f"the answer {str(error)!r}. {advice}"
            ) from error
        self._define_axes()
        if self.mode == "online":
            _say(f"W&B run: {self._run.url}")

    def state(self) -> str:
        """The id of the W&B run."""
        return str(self._require_run("state").id)

    def _define_axes(self) -> None:
        for axis in ("step", *_SHARED):
            self._run.define_metric(axis, hidden=True)
        for prefix in ("train", "epoch", "validation", "probe", "histogram"):
            self._run.define_metric(f"{prefix}/*", step_metric="step")
        self._run.define_metric(f"{VALIDATION}*", step_metric="epoch", summary="none", hidden=True)
        self._run.define_metric(TIME_STEP, hidden=True)
        self._run.define_metric("profile/*", step_metric=TIME_STEP)

    def _require_run(self, call: str) -> Any:
        if self._run is None:
            raise RuntimeError(
                f"WandbSink.{call} needs an open run; received a call before start or after close. "
                "Call start(config, name, folder) first."
            )
        return self._run

    def log(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        """Log the scalars as "<event>/<name>"; epoch and seconds keep their own names."""
        run = self._require_run("log")
        record: dict[str, Any] = {"step": int(step)}
        for name, value in values.items():
            key = name if name in _SHARED else f"{event}/{name}"
            record[key] = plain_scalar(name, value)
            if event == "epoch" and name.startswith(VALIDATION):
                record[name] = record[key]
        run.log(record, step=int(step))

    def arrays(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Log one histogram per array over its finite entries; `close` logs the last arrays."""
        run = self._require_run("arrays")
        record: dict[str, Any] = {"step": int(step)}
        for name, array in arrays.items():
            finite = np.asarray(array, dtype=np.float64)
            finite = finite[np.isfinite(finite)]
            if finite.size:  # steps without a valid row are NaN; nothing to count if all are
                record[f"histogram/{name}"] = self._wandb.Histogram(finite)
        run.log(record, step=int(step))
        self._last_arrays = {name: np.array(array) for name, array in arrays.items()} or None

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Log a W&B table, which can be sorted and filtered there."""
        run = self._require_run("table")
        with _staged_below(Path(run.settings.sync_dir)):
            run.log({name: self._wandb.Table(list(columns), [list(row) for row in rows])})

    def _log_profiles(self) -> None:
        """Log the arrays of the last probe row by row, with the time step as x axis.

        Plain rows rather than W&B tables: a table is an artifact, whose files W&B stages outside
        the run folder.
        """
        if self._last_arrays is None:
            return
        for time_step in range(max(array.size for array in self._last_arrays.values())):
            row = {
                f"profile/{name}": array[time_step].item()
                for name, array in self._last_arrays.items()
                if time_step < array.size and np.isfinite(array[time_step])
            }
            self._run.log({TIME_STEP: time_step, **row})

    def summary(self, values: Mapping[str, Any]) -> None:
        """Set the W&B summary."""
        run = self._require_run("summary")
        run.summary.update({name: plain_scalar(name, value) for name, value in values.items()})

    def close(self, exit_code: int = 0) -> None:
        """Log the profiles of the last probe and finish the W&B run, also if that fails.

        Of a run that was stopped or failed no profiles: they would take W&B's next steps, and W&B
        drops what comes again under these once the run goes on.
        """
        if self._run is None:
            return
        try:
            if exit_code == 0:
                self._log_profiles()
        finally:
            run, self._run = self._run, None
            place = Path(run.settings.sync_dir)
            run.finish(exit_code=exit_code)
            if self.mode == "offline":
                parts = sorted(place.parent.glob(f"offline-run-*-{run.id}"))
                places = " ".join(map(str, parts))
                _say(f"W&B offline run, upload it with: wandb sync {places}")
