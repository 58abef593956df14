"""What docs/results.md says was found is what results/ holds."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate
from tests.lab.report.published import (
    COLUMNS,
    ROOT,
    arm_of,
    cell_text,
    differences,
    points,
    published,
    said_in,
    short,
)


def test_what_is_said_of_padding() -> None:
    arms = {arm.label: arm.values("accuracy") for arm in published("compare_reuters_padding").arms}
    for norm in ("none", "layer", "batch"):
        come, alike = (arms[f"lstm {norm}, bucket={bucket}"] for bucket in (0, 25))
        assert points(paired_estimate(come, alike)) in said_in("docs/results.md"), norm


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
        if line.startswith(f"| `{name}`:")
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
        assert f"| {' | '.join(cells)} |" in lines
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
        assert f"| {' | '.join([str(size), *means, *against])} |" in lines
    both = [arm_of(published("compare_reuters"), "lstm", norm) for norm in ("layer", "none")]
    halves = [
        points(paired_estimate(*({s: arm.values("accuracy")[s] for s in half} for arm in both)))
        for half in (range(5), range(5, 10))
    ]
    first, others = halves
    assert (
        f"{first} against none with the first five of the ten and {others} with the others"
        in said_in("docs/results.md")
    )
