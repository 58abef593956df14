"""Reads the file of an offline W&B run back.

wandb 0.31 writes the file in its Go core and ships no Python reader any more, so the framing is
decoded here: seven bytes of file header, then the LevelDB log format (blocks of 32768 bytes, chunks
of crc32, length, type; a record may span chunks). The records are wandb's own protobuf messages.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2

# The class is made at import from a descriptor, where type checkers cannot see it.
Record: Any = vars(wandb_internal_pb2)["Record"]
FLUSH_SECONDS = 30.0
BLOCK = 32768
CHUNK = struct.Struct("<IHB")
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


@dataclass
class OfflineRun:
    """What one offline file says."""

    id: str = ""
    name: str = ""
    project: str = ""
    group: str = ""
    job_type: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    axes: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None

    def series(self, name: str, axis: str = "step") -> list[tuple[Any, Any]]:
        """The points of one metric: (value of the axis, value)."""
        return [(row[axis], row[name]) for row in self.history if name in row]


def records(path: Path) -> Iterator[Any]:
    """Every protobuf record of the file, in order."""
    content = path.read_bytes()
    assert content[:4] == b":W&B", f"{path} is no W&B file"
    position, record = 7, b""
    while position + CHUNK.size <= len(content):
        left_in_block = BLOCK - position % BLOCK
        if left_in_block < CHUNK.size:  # the writer pads the end of a block
            position += left_in_block
            continue
        _, length, kind = CHUNK.unpack_from(content, position)
        position += CHUNK.size
        if position + length > len(content):
            return
        record += content[position : position + length]
        position += length
        if kind in (FULL, LAST):
            yield Record.FromString(record)
            record = b""


def _update(target: dict[str, Any], items: Any) -> None:
    for item in items:
        *parents, last = list(item.nested_key) or [item.key]
        place = target
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = json.loads(item.value_json)


def _closed_records(path: Path) -> list[Any]:
    """All records once the exit record is there.

    `finish` may return a moment before W&B's core process has flushed an offline file.
    """
    deadline = time.monotonic() + FLUSH_SECONDS
    while True:
        found = list(records(path))
        if any(record.WhichOneof("record_type") == "exit" for record in found):
            return found
        assert time.monotonic() < deadline, f"{path} has not been closed"
        time.sleep(0.02)


def read_offline_run(folder: Path) -> OfflineRun:
    """Read the one offline run below a run folder; it must have been closed."""
    (run,) = read_offline_runs(folder)
    return run


def read_offline_runs(folder: Path) -> list[OfflineRun]:
    """Likewise all that there are, in the order in which they were begun."""
    return [_read(path) for path in sorted(folder.glob("wandb/offline-run-*/run-*.wandb"))]


def _read(path: Path) -> OfflineRun:
    run = OfflineRun()
    for record in _closed_records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.id, run.name = record.run.run_id, record.run.display_name
            run.project, run.group = record.run.project, record.run.run_group
            run.job_type = record.run.job_type
            run.tags = tuple(record.run.tags)
            _update(run.config, record.run.config.update)
        elif kind == "config":
            _update(run.config, record.config.update)
        elif kind == "history":
            row: dict[str, Any] = {}
            _update(row, record.history.item)
            run.history.append(row)
        elif kind == "summary":
            _update(run.summary, record.summary.update)
        elif kind == "metric" and record.metric.step_metric:
            name = record.metric.name or record.metric.glob_name
            run.axes[name] = record.metric.step_metric
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    run.config.pop("_wandb", None)
    return run
