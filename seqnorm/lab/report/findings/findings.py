"""A comparison in one small file, from which the report is made again without the run folders."""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqnorm.lab.durable import write_text
from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.arms.grouping import compare
from seqnorm.lab.report.arms.pruned import with_pruned
from seqnorm.lab.report.findings.evidence import ArmEvidence, Evidence, RunCurves
from seqnorm.lab.report.statistics.profiles import LayerProfiles
from seqnorm.lab.runs.files import RunFolderError, read_object
from seqnorm.lab.runs.find import Ignored
from seqnorm.lab.runs.pruned import PrunedRun
from seqnorm.lab.runs.read import RunRecord, make_record

FINDINGS = "findings.json"
# 4: results have a task, and answers are arrays by name. Of 2 and 3 results are those of before
# there were tasks, and of 2 `study` and `arm` are read under their old names.
_FORMAT, _FORMER = 4, (2, 3)
_ABSENT = "(absent)"


@dataclass(frozen=True)
class Findings:
    """All that a report says and draws.

    Attributes:
        comparisons: One per data set and question, with its evidence.
        ignored: Run folders left out.
    """

    comparisons: Sequence[tuple[Comparison, Evidence]]
    ignored: Sequence[Ignored]


def _plain(values: Any) -> Any:
    """Arrays as lists, NaN and infinities as None, which strict JSON has no numbers for."""
    if isinstance(values, np.ndarray):
        return _plain(values.tolist())
    if isinstance(values, list):
        return [_plain(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def _array(values: Any, columns: int | None = None) -> np.ndarray:
    array = np.array(values, dtype=np.float64)  # None becomes NaN
    return array.reshape(-1, columns) if columns else array


def _pack_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Lists by name; of yes and no their number and their bits."""
    return {
        name: {"size": array.size, "bits": b64encode(np.packbits(array).tobytes()).decode()}
        if array.dtype == bool
        else _plain(array)
        for name, array in arrays.items()
    }


def _unpack_arrays(stored: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: _unpacked(values) for name, values in stored.items()}


def _unpacked(values: Any) -> np.ndarray:
    if isinstance(values, dict):
        bits = np.frombuffer(b64decode(values["bits"]), np.uint8)
        return np.unpackbits(bits, count=values["size"]).astype(bool)
    array = np.array(values)
    return _array(values) if array.dtype == object else array  # where None is among the numbers


def _pack_runs(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """Configs as differences to the first; every environment once."""
    base = runs[0].config if runs else {}
    environments: list[dict[str, Any]] = []
    packed = []
    for run in runs:
        if run.environment not in environments[-8:]:
            environments.append(run.environment)
        packed.append(
            {
                "name": run.name,
                "result": {k: v for k, v in run.result.to_json().items() if k != "task"},
                "config": _changes(base, run.config),
                "environment": len(environments) - 1 - environments[::-1].index(run.environment),
            }
        )
    return {"config": base, "environments": environments, "runs": packed}


def _unpack_runs(stored: Mapping[str, Any], parent: Path) -> list[RunRecord]:
    records = []
    task = {"task": stored["task"]} if "task" in stored else {}
    for run in stored["runs"]:
        records.append(
            make_record(
                parent / run["name"],
                {**run["result"], **task},
                _whole(stored["config"], run["config"]),
                stored["environments"][run["environment"]],
            )
        )
    return records


def _pack_pruned(comparison: Comparison) -> dict[str, Any]:
    """Nothing where no run was stopped early."""
    base = comparison.everything[0].config
    packed = [
        {"name": run.name, "config": _changes(base, run.config), "seconds": run.seconds}
        for run in comparison.pruned
    ]
    return {"pruned": packed} if packed else {}


def _unpack_pruned(stored: Mapping[str, Any], parent: Path) -> Iterator[PrunedRun]:
    for run in stored.get("pruned", ()):
        config = _whole(stored["config"], run["config"])
        yield PrunedRun(parent / run["name"], config, run["seconds"])


def _changes(base: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as its difference to another one."""
    changes = {key: value for key, value in config.items() if base.get(key, _ABSENT) != value}
    changes |= {key: _ABSENT for key in base if key not in config}
    return dict(sorted(changes.items()))


def _whole(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**base, **changes}.items() if value != _ABSENT}


def _pack_arm(arm: ArmEvidence) -> dict[str, Any]:
    curves = [
        {
            "seed": run.seed,
            "diverged": run.diverged,
            "metrics": {name: _plain(history) for name, history in run.metrics.items()},
        }
        for run in arm.curves
    ]
    layers = [
        {"name": layer.name, "arrays": {key: _plain(a) for key, a in layer.arrays.items()}}
        for layer in arm.layers
    ]
    return {
        "curves": curves,
        "layers": layers,
        "answers": _pack_arrays(arm.answers),
    }


def _unpack_arm(stored: Mapping[str, Any]) -> ArmEvidence:
    curves = [
        RunCurves(
            run["seed"],
            run["diverged"],
            {name: _array(history, columns=3) for name, history in run["metrics"].items()},
        )
        for run in stored["curves"]
    ]
    layers = [
        LayerProfiles(layer["name"], {key: _array(a) for key, a in layer["arrays"].items()})
        for layer in stored["layers"]
    ]
    return ArmEvidence(curves, layers, _unpack_arrays(stored["answers"]))


def _modernised(part: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison of before there were tasks, in today's keys."""
    arms = {}
    for label, arm in part["arms"].items():
        size, bits = arm["right"]
        answers = {"by_length": arm["by_length"], "by_class": arm["by_class"]}
        own = {**answers, "right": {"size": size, "bits": bits}} if size else {}
        arms[label] = {**arm, "answers": own}
    common = {key: part[key] for key in ("edges", "classes", "support") if part[key]}
    return {**part, "arms": arms, "common": common}


def save_findings(path: Path, findings: Findings) -> None:
    """Write everything that the report is made of.

    Args:
        path: The file.
        findings: What was found; the same findings give the same bytes.
    """
    content = {
        "format": _FORMAT,
        "comparisons": [
            {
                "task": comparison.task.to_json(),
                **_pack_runs(comparison.everything),
                **_pack_pruned(comparison),
                "arms": {label: _pack_arm(arm) for label, arm in evidence.arms.items()},
                "common": _pack_arrays(evidence.common),
                "texts": evidence.texts,
                "notes": evidence.notes,
            }
            for comparison, evidence in findings.comparisons
        ],
        "ignored": [[item.folder.name, item.reason] for item in findings.ignored],
    }
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    write_text(path, text.replace('{"name":', '\n{"name":') + "\n")


def _require_labels(path: Path, comparison: Comparison, stored: Mapping[str, Any]) -> None:
    """What is kept of an arm is found by its label, so the labels must be those of now."""
    unknown = sorted({arm.label for arm in comparison.arms} - stored.keys())
    if unknown:
        raise ValueError(
            f"{path} must name its arms as this version of seqnorm-report does ({unknown[0]!r}); "
            f"received {', '.join(map(repr, stored))}. Make the report again from its run folders."
        )


def load_findings(path: Path) -> Findings:
    """Read what `save_findings` wrote.

    Raises:
        ValueError: If the file is none of a report, or of another version.
    """
    try:
        stored = read_object(path)
    except RunFolderError as error:
        raise ValueError(
            f"{path} must be what seqnorm-report has written; received a damaged file ({error}). "
            "Take it from version control, or make the report again from its run folders."
        ) from error
    if stored.get("format") not in (_FORMAT, *_FORMER):
        raise ValueError(
            f"{path} must have been written by this version of seqnorm-report (format={_FORMAT}); "
            f"received format={stored.get('format')!r}. Make the report again from its run folders."
        )
    comparisons = []
    for kept in stored["comparisons"]:
        part = _modernised(kept) if stored["format"] in _FORMER else kept
        runs = _unpack_runs(part, path.parent)
        ((compared,), _) = compare(runs)
        comparison = with_pruned(compared, _unpack_pruned(part, path.parent))
        _require_labels(path, comparison, part["arms"])
        evidence = Evidence(
            {label: _unpack_arm(arm) for label, arm in part["arms"].items()},
            _unpack_arrays(part["common"]),
            part["texts"],
            part["notes"],
        )
        comparisons.append((comparison, evidence))
    ignored = [Ignored(path.parent / name, reason) for name, reason in stored["ignored"]]
    return Findings(comparisons, ignored)
