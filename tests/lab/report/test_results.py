"""What the repository publishes: results/ remakes itself, and README's table says what it holds."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from seqnorm.lab.report.arms.arms import Arm, Comparison
from seqnorm.lab.report.arms.floors import floor_scores, is_floor
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.page.plateaus import NEAR
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate, plateau_estimate
from seqnorm.lab.report.statistics.plateau import mean_along

ROOT = Path(__file__).parents[3]
FOLDERS = sorted(path.parent for path in ROOT.glob("results/*/runs.csv"))
COLUMNS = ("compare_imdb", "compare_reuters", "compare_reuters_clean")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_results_remake_themselves_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    write_report([folder], tmp_path / "again", pages=False)
    for name in ("runs.csv", "findings.json"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_results_name_no_folder_of_the_machine_that_made_them(folder: Path) -> None:
    text = (folder / "findings.json").read_text(encoding="utf-8")
    commands = re.findall(r'"command":"((?:[^"\\]|\\.)*)"', text)
    assert commands and not [each for each in commands if re.search(r"(^|[=' ])/", each)]


@cache
def published(name: str) -> Comparison:
    ((comparison, _),) = collect([ROOT / "results" / name]).comparisons
    return comparison


def arm_of(comparison: Comparison, cell: str, norm: str) -> Arm:
    (arm,) = (arm for arm in comparison.arms if (arm.cell, arm.norm) == (cell, norm))
    return arm


def by_norm(name: str, cell: str) -> dict[str, Arm]:
    """The arms of one cell."""
    return {norm: arm_of(published(name), cell, norm) for norm in ("none", "layer", "rms", "batch")}


def short(value: float, signed: bool = False) -> str:
    """As README writes it: .803, and -.010 for a difference."""
    return f"{value:{'+' if signed else ''}.3f}".replace("0.", ".", 1)


def cell_text(found: Estimate, signed: bool = False) -> str:
    ends = (short(end, signed) for end in (found.low, found.high))
    return f"{short(found.value, signed)} ({' to '.join(ends)})"


def readme_table(first: str) -> dict[str, list[str]]:
    """Cells of README's table whose heading begins with a word, by their row; bold is taken off."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0].split(",")[0]: [cell.replace("**", "") for cell in row[1:]] for row in rows}


def points(found: Estimate) -> str:
    """As the texts write a difference: +0.7 (-0.3 to +1.9)."""
    value, low, high = (f"{100 * each:+.1f}" for each in (found.value, found.low, found.high))
    return f"{value.replace('+0.0', '0.0')} ({low} to {high})"


def said_in(name: str) -> str:
    """A text of the project, its lines joined."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def test_what_is_said_of_padding() -> None:
    arms = {arm.label: arm.values("accuracy") for arm in published("compare_reuters_padding").arms}
    for norm in ("none", "layer", "batch"):
        come, alike = (arms[f"lstm {norm}, bucket={bucket}"] for bucket in (0, 25))
        assert points(paired_estimate(come, alike)) in said_in("docs/results.md"), norm


def differences(name: str, cell: str, metric: str) -> list[str]:
    """Of layer, rms and batch against none, by seed."""
    ours = {norm: arm.values(metric) for norm, arm in by_norm(name, cell).items()}
    return [points(paired_estimate(ours[norm], ours["none"])) for norm in list(ours)[1:]]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("name", COLUMNS)
def test_what_was_found(name: str, cell: str) -> None:
    text = said_in("docs/results.md")
    layer, rms, batch = differences(name, cell, "accuracy")
    assert f"{cell.upper()}: layer {layer}, rms {rms}, batch {batch}" in text
    if name != "compare_imdb":  # whose classes are of one size
        assert f"F1 {', '.join(differences(name, cell, 'macro_f1'))}" in text


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_what_was_found_on_japanese_vowels(cell: str) -> None:
    name, norms = "compare_japanese_vowels", ("layer", "rms", "group", "batch", "dyt")
    none = arm_of(published(name), cell, "none").values("accuracy")
    arms = {norm: arm_of(published(name), cell, norm).values("accuracy") for norm in norms}
    said = ", ".join(f"{norm} {points(paired_estimate(arms[norm], none))}" for norm in norms)
    assert f"{cell.upper()}: {said}" in said_in("docs/results.md")


def test_what_was_found_on_lines_of_mnist() -> None:
    arms = {arm.label: arm.values("accuracy") for arm in published("compare_mnist_rows").arms}
    layer, rms, tenth, third, one = (
        points(paired_estimate(arms[f"lstm {label}"], arms["lstm none"]))
        for label in ("layer", "rms", *(f"batch, gamma={gain}" for gain in (0.1, 0.3, 1.0)))
    )
    assert (
        f"layer {layer}, rms {rms}, batch with γ = .1 {tenth}, with .3 {third}, with 1 {one}"
    ) in said_in("docs/results.md")
    assert all(found.replace("+", "") in said_in("README.md") for found in (tenth, layer))


CURVES = "compare_reuters_clean_learning_rate"
NORMS = ("none", "layer", "rms", "group", "batch", "dyt")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_where_norms_are_good_along_the_learning_rate(cell: str) -> None:
    """Both tables of the text: where the mean is within 2 % of the best, and all differences."""
    comparison, found = published(CURVES), curves_of(cell)
    score, text = comparison.task.score, said_in("docs/results.md")
    for norm, curve in found.items():
        assert len(curve) == 9 and {len(each) for each in curve.values()} == {5}
        by_rate = {rate: [*each.values()] for rate, each in curve.items()}
        plateau, along = plateau_estimate(by_rate, score, NEAR), over_all(curve)
        begin, end, best, mean, height = (
            f"{value:{digits}}".lstrip("0")
            for value, digits in (
                (plateau.begin, "#.2g"), (plateau.end, ".2g"), (plateau.best, "g"),
                (np.mean(by_rate[plateau.best]), ".4f"), (np.mean([*along.values()]), ".3f"),
            )
        )  # fmt: skip
        at_each = [paired_estimate(each, found["none"][rate]) for rate, each in curve.items()]
        difference = paired_estimate(along, over_all(found["none"]))
        assert (
            f"| {norm} | {mean} at {best} | {begin} | {end}{' or more' * plateau.open_end} "
            f"| {width_of(curve)} | {height} "
            f"| {points(difference) if norm != 'none' else ''} |".replace("|  |", "| |")
        ) in text
        if norm == "none":
            continue
        assert f"| {norm} | {' | '.join(map(points, at_each))} |" in text
        for part in (best_of, lambda each: over_all(each, 1e-3)):
            own = paired_estimate(part(curve), part(found["none"]))
            assert f"{norm} {points(own)}" in text
        if norm == "layer":
            assert points(difference).replace("+", "") in said_in("README.md")
            assert points(difference).replace("+", "") in text
            above = paired_estimate(over_all(curve, 1e-3), over_all(found["none"], 1e-3))
            assert points(above).replace("+", "") in said_in("README.md")
        if cell == "gru" and norm == "rms":
            none = width_of(found["none"])
            assert (
                f"over {width_of(curve).replace(' ', ' decades ', 1)}, without a norm over {none}"
            ) in said_in("README.md")
    runs = [run for arm in comparison.arms for run in arm.runs if not is_floor(arm)]
    assert f"None of the {len(runs)} runs diverged" in text
    assert not any(run.result.diverged for run in runs)


def curves_of(cell: str) -> dict[str, dict[float, dict[int, float]]]:
    """The accuracy by norm, learning rate and seed."""
    found: dict[str, dict[float, dict[int, float]]] = {norm: {} for norm in NORMS}
    for arm in published(CURVES).arms:
        if arm.cell == cell:
            rate = dict(arm.settings)["optim.learning_rate"]
            found[arm.norm][rate] = dict(arm.values("accuracy"))
    return found


def over_all(curve: dict[float, dict[int, float]], least: float = 0.0) -> dict[int, float]:
    """The mean along a curve from some value on, of each seed."""
    kept = {value: each for value, each in curve.items() if value >= least}
    seeds = {seed for each in kept.values() for seed in each}
    return {seed: mean_along({value: each[seed] for value, each in kept.items()}) for seed in seeds}


def width_of(curve: dict[float, dict[int, float]]) -> str:
    """How many decades of a setting do, as the texts write it: 1.03 (0.89 to 1.12)."""
    by_value = {value: [*each.values()] for value, each in curve.items()}
    wide = plateau_estimate(by_value, published(CURVES).task.score, NEAR).decades
    return f"{wide.value:.2f} ({wide.low:.2f} to {wide.high:.2f})"


def best_of(curve: dict[float, dict[int, float]]) -> dict[int, float]:
    """The scores at the value with the best mean."""
    return max(curve.values(), key=lambda each: float(np.mean([*each.values()])))


@pytest.mark.parametrize("name", ["recipe_reuters_after", "recipe_reuters_before", "recipe_mnist"])
def test_the_table_of_recipes(name: str) -> None:
    """Mean and standard deviation of three seeds."""
    found = dict[tuple[str, ...], str]()
    for arm in published(name).arms:
        own = arm.runs[0].config
        extra = [
            key
            for key, usual in (("norm.momentum", 0.99), ("train.reestimate", False))
            if own.get(key, usual) != usual
        ]
        scores = [*arm.values("accuracy").values()]
        assert len(scores) == 3
        spread = short(float(np.std(scores, ddof=1)))
        found[(arm.norm, *extra)] = f"{short(float(np.mean(scores)))} ± {spread}"
    cells = [
        found.get(key, "")
        for key in (
            ("none",), ("keras_layer",), ("keras_batch",),
            ("keras_batch", "train.reestimate"), ("keras_batch", "norm.momentum"),
        )
    ]  # fmt: skip
    (row,) = (
        line.split(" | ", 1)[1]
        for line in (ROOT / "docs/results.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{name}`")
    )
    assert row == f"{' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")
    means = {key: text.split(" ± ")[0] for key, text in found.items()}
    preset = (ROOT / f"conf/experiment/{name}.yaml").read_text(encoding="utf-8")
    assert (
        f"none 0{means['none',]}, keras_layer 0{means['keras_layer',]}, "
        f"keras_batch 0{means['keras_batch',]}"
    ) in preset


def test_both_rates_on_clean_reuters() -> None:
    lines = (ROOT / "docs/results.md").read_text(encoding="utf-8").splitlines()
    names = {0.00832: "compare_reuters_clean_low_rate", 0.01759: "compare_reuters_clean"}
    for norm in ("none", "layer", "rms", "batch"):
        cells = [norm]
        for rate, name in names.items():
            arm = arm_of(published(name), "lstm", norm)
            assert {run.config["optim.learning_rate"] for run in arm.runs} == {rate}
            cells.append(short(float(np.mean([run.result.validation_score for run in arm.runs]))))
            cells.append(cell_text(mean_estimate(list(arm.values("accuracy").values()))))
            cells.append(short(float(np.mean(list(arm.values("macro_f1").values())))))
        assert f"  | {' | '.join(cells)} |" in lines
    text = said_in("docs/results.md")
    for metric in ("accuracy", "macro_f1"):
        layer, rms, batch = differences(names[0.00832], "lstm", metric)
        assert f"layer {layer}, rms {rms}, batch {batch}" in text


def test_what_is_said_of_policies() -> None:
    text = said_in("docs/results.md")
    arms = {arm.label: arm for arm in published("compare_reuters_small_batch").arms}
    policies = ("naive", "running", "shrink", "renorm")
    found = {
        metric: [
            points(paired_estimate(
                arms[f"lstm batch, small_batch={policy}"].values(metric),
                arms["lstm none"].values(metric),
            ))
            for policy in policies
        ]
        for metric in ("accuracy", "macro_f1")
    }  # fmt: skip
    for policy, difference in zip(policies, found["accuracy"], strict=True):
        assert re.search(rf"`{policy}` (\([^)]*\) )?{re.escape(difference)}", text), policy
    assert f"F1 {', '.join(found['macro_f1'])}" in text


def test_the_table_of_batch_sizes() -> None:
    arms = {
        arm.label: arm.values("accuracy") for arm in published("compare_reuters_batch_size").arms
    }
    for norm in ("none", "layer", "batch"):  # the same recipe at the size it was made for
        runs = arm_of(published("compare_reuters"), "lstm", norm).values("accuracy")
        arms[f"lstm {norm}, batch_size=64"] = {seed: runs[seed] for seed in range(5)}
    lines = (ROOT / "docs/results.md").read_text(encoding="utf-8").splitlines()
    for size in (2, 8, 32, 64, 128):
        none, layer, batch = (
            arms[f"lstm {norm}, batch_size={size}"] for norm in ("none", "layer", "batch")
        )
        means = [short(mean_estimate(list(each.values())).value) for each in (none, layer, batch)]
        against = [points(paired_estimate(each, none)) for each in (layer, batch)]
        assert f"  | {' | '.join([str(size), *means, *against])} |" in lines


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_readme_s_table_is_that_of_the_results(cell: str) -> None:
    table = readme_table(cell.upper())
    for norm in ("none", "layer", "rms", "batch"):
        cells = []
        for name in COLUMNS:
            ours, none = (by_norm(name, cell)[each].values("accuracy") for each in (norm, "none"))
            cells.append(cell_text(mean_estimate(list(ours.values()))))
            cells.append("" if norm == "none" else cell_text(paired_estimate(ours, none), True))
        assert table[norm] == cells


def test_readme_s_floors_are_those_of_the_results() -> None:
    table = readme_table("LSTM")
    floors = [floor_scores(published(name)) for name in COLUMNS]
    words = ["" if floor is None else short(floor["accuracy"]) for floor in floors]
    assert table["bag of words"] == [text for each in words for text in (each, "")]
