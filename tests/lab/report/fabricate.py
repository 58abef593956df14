"""Makes run folders as a training run leaves them, without training."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from seqnorm.lab.report.arms.arms import Comparison
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.runs.result import Result
from seqnorm.lab.tasks import Classification, Score, Scoring

NORM_SETTINGS: dict[str, dict[str, Any]] = {
    "none": {},
    "layer": {"epsilon": 1e-5, "gamma": 1.0, "scale": True, "center": None},
    "rms": {"epsilon": 1e-5, "gamma": 1.0},
    "batch": {"epsilon": 1e-5, "gamma": 0.1, "momentum": 0.99, "max_steps": 256},
}
NORMS = ("none", "layer", "batch", "rms")
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # in C, ten times faster
MAJORITY = 0.5
CLASSES = Classification().scoring
# A task with an error for a score, which the report knows nothing of but what the run keeps.
ERRORS = Scoring(
    "depth",
    (
        Score("error", "mean error", 3, (0.0, math.inf), higher_is_better=False, unit="levels"),
        Score("bias", "bias", 3, higher_is_better=False, unit="levels"),
    ),
    "median depth",
)


def fabricate_config(
    data: str, cell: str, norm: str, seed: int, changes: dict[str, Any]
) -> dict[str, Any]:
    """A resolved config; `changes` maps dotted keys to values."""
    config: dict[str, Any] = {
        "seed": seed,
        "runs_dir": f"runs-of-{seed}",
        "data": {"name": data, "dir": None, "max_length": 200, "batch_size": 64},
        "cell": {"name": cell, "units": 64},
        "norm": {"name": norm, **NORM_SETTINGS[norm]},
        "optim": {"name": "adam", "learning_rate": 1e-3, "beta_1": 0.9},
        "train": {"epochs": 5, "log_every": 50},
        "tracking": {"name": "local", "tags": [f"seed {seed}"]},
    }
    for key, value in changes.items():
        *parents, last = key.split(".")
        place = config
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return config


def config_digest(config: dict[str, Any]) -> str:
    """Equal for runs that differ in their seed and their folders only."""
    values = {key: config[key] for key in config if key not in ("seed", "runs_dir", "tracking")}
    return f"{zlib.crc32(json.dumps(values).encode()):08x}"


def fabricate_comparison(
    runs: Path,
    *,
    data: str = "reuters",
    cells: tuple[str, ...] = ("lstm",),
    norms: tuple[str, ...] = ("none", "layer", "batch"),
    seeds: int = 3,
    trials: int = 4,
    texts: int = 200,
    classes: int = 5,
    diverged: tuple[str, int] | None = None,
    changes: dict[str, Any] | None = None,
    name: str = "",
) -> None:
    """Runs and trials of a whole comparison, as `seqnorm-compare` leaves them."""
    for cell in cells:
        for norm in norms:
            place = NORMS.index(norm)
            rng = np.random.default_rng([9, len(cell), place])  # an arm is the same in any company
            words = [f"{key}={value}" for key, value in (changes or {}).items()]
            own = {
                "study": name or f"compare_{data}",
                "arm": " ".join([f"cell={cell} norm={norm}", *words]),
                **(changes or {}),
            }
            best = 0.78 + 0.01 * place + (0.008 if cell == "gru" else 0.0)
            rates = 10 ** rng.uniform(-3.5, -2, trials)
            losses = 0.06 * (np.log10(rates) + 2.6) ** 2 + 0.01 * rng.random(trials)
            for number, (rate, loss) in enumerate(zip(rates, losses, strict=True)):
                fabricate_run(
                    runs, data=data, cell=cell, norm=norm, seed=1000, trial=True, probes=False,
                    accuracy=float(best - loss), suffix=f"{number:04x}",
                    changes={**own, "optim.learning_rate": float(rate)},
                )  # fmt: skip
            chosen = {"optim.learning_rate": float(rates[losses.argmin()])} if trials else {}
            for seed in range(seeds):
                fabricate_run(
                    runs, data=data, cell=cell, norm=norm, seed=seed, texts=texts, classes=classes,
                    accuracy=float(best + 0.006 * rng.normal()), epochs=4 + seed % 3,
                    seconds=30.0 + 10 * place + rng.normal(),
                    diverged=diverged == (norm, seed),
                    changes={**own, **chosen},
                )  # fmt: skip


def fabricate_probes(norm: str, rng: np.random.Generator, steps: int = 40) -> dict[str, Any]:
    """Arrays of one probe; the last three time steps have no valid row."""
    time = np.arange(steps)
    dead = time >= steps - 3
    drift = {"none": 0.03, "layer": 0.004, "rms": 0.006, "batch": 0.012}[norm]

    def profile(base: float, slope: float, noise: float) -> np.ndarray:
        values = base + slope * time + noise * rng.normal(size=steps)
        return np.where(dead, np.nan, values)

    arrays = {}
    for layer, site in (("lstm", "input"), ("lstm", "recurrent")):
        arrays[f"{layer}/{site}/mean"] = profile(-0.1, drift / 3, 0.01)
        arrays[f"{layer}/{site}/spread"] = profile(0.8, drift, 0.03)
        if norm == "batch":
            arrays[f"{layer}/{site}/distance"] = np.abs(profile(0.05, 0.01, 0.02))
    decay = 0.12 if norm == "none" else 0.03
    arrays["lstm/gradient_norm"] = np.where(dead, np.nan, np.exp(-decay * (steps - 3 - time)))
    arrays["rows"] = np.where(dead, 0, np.maximum(1, 64 - 2 * np.maximum(0, time - 8)))
    return arrays


def fabricate_metrics(
    rng: np.random.Generator, accuracy: float, epochs: int, diverged: bool, score: str = "accuracy"
) -> list[dict[str, Any]]:
    """Lines of metrics.jsonl: "train" twice an epoch and "epoch" once."""
    records: list[dict[str, Any]] = []
    for epoch in range(1, epochs + 1):
        reached = MAJORITY + (accuracy - MAJORITY) * (1 - np.exp(-1.1 * epoch))
        val_accuracy = float(reached + 0.004 * rng.normal())
        loss = float(1.6 * (1 - val_accuracy) + 0.02 * rng.normal() + 0.02 * max(0, epoch - 4))
        for step in (epoch * 100 - 50, epoch * 100):
            head = {"step": step, "epoch": epoch, "seconds": step / 10}
            values = {"loss": loss, "gradient_norm": 1.0, "learning_rate": 1e-3}
            records.append({"event": "train", **head, **values})
        head = {"step": epoch * 100, "epoch": epoch, "seconds": epoch * 10.0}
        scores = {"loss": loss, score: val_accuracy, "val_loss": loss}
        records.append({"event": "epoch", **head, **scores, f"val_{score}": val_accuracy})
    if diverged and records:
        records[-1].update(val_loss=None, val_loss_nonfinite="nan")
    return records


def fabricate_predictions(
    rng: np.random.Generator, accuracy: float, texts: int, classes: int
) -> dict[str, Any]:
    """Answers on test texts that are the same for every run; long texts are the harder ones."""
    same = np.random.default_rng(1)
    labels = np.minimum(same.geometric(0.5, texts) - 1, classes - 1)
    lengths = np.minimum(same.integers(5, 300, texts), 200)
    chance = np.clip(accuracy + 0.15 * (100 - lengths) / 200, 0, 1)
    wrong = (labels + rng.integers(1, classes, texts)) % classes
    return {
        "labels": labels,
        "predicted": np.where(rng.random(texts) < chance, labels, wrong),
        "probability": rng.uniform(0.5, 1.0, texts).astype(np.float32),
        "lengths": lengths,
        "label_names": np.array([f"topic {index}" for index in range(classes)]),
    }


def fabricate_run(
    runs: Path,
    *,
    data: str = "imdb",
    cell: str = "lstm",
    norm: str = "layer",
    seed: int = 1,
    accuracy: float = 0.85,
    macro_f1: float | None = None,
    seconds: float = 30.0,
    epochs: int = 5,
    diverged: bool = False,
    finished: bool = True,
    probes: bool = True,
    stamp: str = "20260101-120000",
    suffix: str | None = None,
    changes: dict[str, Any] | None = None,
    trial: bool = False,
    texts: int = 0,
    classes: int = 2,
    task: Scoring = CLASSES,
) -> Path:
    """Write one run folder below `runs` and return it.

    An unfinished one lacks its result, a trial its test scores; predictions need `texts`. Of
    another task `accuracy` is its first score and `macro_f1` its second.
    """
    rng = np.random.default_rng([seed, len(data), len(norm)])
    config = fabricate_config(data, cell, norm, seed, changes or {})
    tail = suffix or f"{zlib.crc32(json.dumps(config).encode()) % 16**4:04x}"
    folder = runs / f"{data}-{cell}-{norm}-s{seed}-{stamp}-{tail}"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.dump(config, Dumper=DUMPER))
    environment = {
        "python": "3.11.7",
        "packages": {"keras": "3.15.0"},
        "git": {"commit": "0123abc", "dirty": False},
        "machine": {"system": "Linux", "cores": 2},
        "command": f"seqnorm-train data={data} cell={cell} norm={norm} seed={seed}",
    }
    (folder / "environment.json").write_text(json.dumps(environment))
    score = MAJORITY if diverged else accuracy
    first, second = (each.name for each in task.scores)
    records = fabricate_metrics(rng, accuracy, epochs, diverged, first)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    if probes:
        np.savez(folder / "probes.npz", **fabricate_probes(norm, rng))
    if texts and not trial:
        arrays = fabricate_predictions(rng, accuracy, texts, classes)
        np.savez(folder / "predictions.npz", **arrays)
    result = a_result(
        run=folder.name,
        data=data,
        cell=cell,
        norm=norm,
        seed=seed,
        task=task,
        status="diverged" if diverged else "completed",
        message="loss is nan at step 500" if diverged else None,
        test={first: score, second: score - 0.01 if macro_f1 is None else macro_f1},
        test_loss=None if diverged else 0.4,
        validation=score,
        best_epoch=epochs,
        steps=epochs * 100,
        train_seconds=seconds,
        config_hash=config_digest(config),
    )
    if trial:
        result = replace(result, test=None, test_loss=None)
    if finished:
        (folder / "result.json").write_text(json.dumps(result.to_json()))
    return folder


def a_result(**changes: Any) -> Result:
    """What a run came to."""
    values: dict[str, Any] = {
        "run": "imdb-lstm-layer-s1", "data": "imdb", "cell": "lstm", "norm": "layer", "seed": 1,
        "config_hash": "0123456789ab", "task": CLASSES, "status": "completed", "message": None,
        "test": {"accuracy": 0.85, "macro_f1": 0.84}, "test_loss": 0.4, "validation": 0.85,
        "baseline": MAJORITY, "best_epoch": 5, "steps": 500, "train_seconds": 30.0,
        "tokens_per_second": 1e5, "parameters": 12345, "trainable_parameters": 12000,
    }  # fmt: skip
    return Result(**{**values, **changes})


def former(result: Result) -> dict[str, Any]:
    """The content of result.json as it was before there were tasks."""
    return result.flat()


def change_result(folder: Path, **changes: Any) -> None:
    """Puts other values into a result.json; `...` takes a key out, "test__accuracy" one of many."""
    path = folder / "result.json"
    content = json.loads(path.read_text())
    for key, value in changes.items():
        *parents, last = key.split("__")
        place = content
        for parent in parents:
            place = place[parent]
        place[last] = value
        if value is ...:
            del place[last]
    path.write_text(json.dumps(content))


def named(norm: str, **changes: object) -> dict[str, object]:
    """What `seqnorm-compare` writes into the config of an arm's runs, and further changes."""
    own = {"study": "compare_imdb", "arm": f"cell=lstm norm={norm}"}
    return own | {key.replace("__", "."): value for key, value in changes.items()}


def fabricate_trial(
    folder: Path,
    norm: str,
    seed: int,
    rate: float,
    score: float,
    task: Scoring = CLASSES,
    **changes: object,
) -> None:
    """A trial of a named arm."""
    fabricate_run(folder, norm=norm, seed=seed, accuracy=score, trial=True, task=task,
                  changes=named(norm, optim__learning_rate=rate, **changes))  # fmt: skip


def only(*folders: Path) -> Comparison:
    """The one comparison in some folders."""
    ((comparison, _),) = collect(folders).comparisons
    return comparison
