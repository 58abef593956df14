"""Every number that docs/claims.md says was measured is one of results/.

Those of its 'Tried to break' are not, but for the trials of the first split.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from seqnorm.lab.report.arms.floors import floor_scores
from seqnorm.lab.report.statistics.bootstrap import Estimate
from seqnorm.lab.report.statistics.estimates import mean_estimate, paired_estimate
from tests.lab.report.learning_rates import (
    CURVES,
    IMDB_CURVES,
    IMDB_GRU_CURVES,
    Curve,
    against_none,
    best_of,
    curves_of,
    of_cells,
    over_all,
    widths_of,
)
from tests.lab.report.published import arm_of, by_norm, cell_text, points, published, said_in, short

PAGE = Path(__file__).parents[3] / "docs" / "claims.md"


@cache
def measured(beginning: str) -> str:
    """The column of a row's measurements, by how its claim begins."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    (row,) = (line for line in lines if line.startswith(f"| {beginning}"))
    return row.split(" | ")[3]


def values(name: str, label: str) -> Mapping[int, float]:
    (arm,) = (arm for arm in published(name).arms if arm.label == label)
    return arm.values(published(name).task.score.name)


def means(
    name: str, labels: Mapping[str, str], write: Callable[[Estimate], str] = cell_text
) -> str:
    """The mean and interval of arms of the LSTM, each after what the text calls it."""
    found = {
        title: mean_estimate([*values(name, f"lstm {own}").values()])
        for title, own in labels.items()
    }
    return ", ".join(f"{title} {write(each)}" for title, each in found.items())


def against(name: str, arm: str, other: str) -> str:
    return points(paired_estimate(values(name, arm), values(name, other)))


@pytest.mark.parametrize(
    ("claim", "name"), [("**IMDB**", "compare_imdb"), ("**Reuters-46**", "compare_reuters")]
)
def test_floors(claim: str, name: str) -> None:
    floors = floor_scores(published(name))
    assert floors is not None and measured(claim).startswith(short(floors["accuracy"]))


def test_networks_above_the_bag_of_words() -> None:
    def above(name: str) -> list[str]:
        floors = floor_scores(published(name))
        assert floors is not None
        means = {
            f"{cell.upper()} {norm}": mean_estimate(list(arm.values("accuracy").values())).value
            for cell in ("gru", "lstm")
            for norm, arm in by_norm(name, cell).items()
        }
        above_it = {label: mean for label, mean in means.items() if mean > floors["accuracy"]}
        return sorted(f"{label} {short(mean)}" for label, mean in above_it.items())

    assert above("compare_imdb") == []
    said = above("compare_reuters")
    assert len(said) == 4 and measured("**Reuters-46**").endswith(f"above it {', '.join(said)}")


@pytest.mark.parametrize(
    ("claim", "name"), [("IMDB: an LSTM", "compare_imdb"), ("Reuters-46: a rec", "compare_reuters")]
)
def test_networks_without_a_norm(claim: str, name: str) -> None:
    found = arm_of(published(name), "lstm", "none").values("accuracy")
    assert measured(claim) == cell_text(mean_estimate(list(found.values())))


def test_keras_s_example() -> None:
    said = means("compare_imdb_keras", {norm: norm for norm in ("none", "layer", "batch")})
    assert measured("IMDB: Keras's example") == said
    assert said in said_in("docs/results.md")


def test_what_layer_norm_costs() -> None:
    names = ("compare_imdb", "compare_reuters_clean", "compare_reuters")
    found = [against(name, "lstm layer", "lstm none") for name in names]
    assert measured("Layer norm speeds") == (
        f"IMDB {found[0]}, clean Reuters {found[1]}, Reuters {found[2]}, LSTM"
    )


def test_rms_against_layer() -> None:
    found = [
        points(paired_estimate(arms["rms"].values("accuracy"), arms["layer"].values("accuracy")))
        for name in ("compare_imdb", "compare_reuters_clean")
        for arms in (by_norm(name, "lstm"), by_norm(name, "gru"))
    ]
    imdb, imdb_gru, clean, clean_gru = found
    assert measured("RMS norm").endswith(
        f"IMDB {imdb} LSTM, {imdb_gru} GRU; clean Reuters {clean} and {clean_gru}"
    )


def test_few_rows() -> None:
    name = "compare_reuters_batch_size"
    at = {
        (norm, size): against(
            name, f"lstm {norm}, batch_size={size}", f"lstm none, batch_size={size}"
        )
        for norm, size in (("batch", 2), ("batch", 8), ("batch", 32), ("layer", 2))
    }
    two, eight, many, layer = at.values()
    assert measured("Batch norm needs") == (
        f"Reuters against none, batch: {two} at 2 rows, {eight} at 8, {many} at 32; "
        f"layer at 2 rows {layer}"
    )


def test_renormalisation() -> None:
    renorm, naive = (
        against("compare_reuters_small_batch", f"lstm batch, small_batch={policy}", "lstm none")
        for policy in ("renorm", "naive")
    )
    (small,) = (
        arm
        for arm in published("compare_reuters_small_batch").arms
        if arm.label == "lstm batch, small_batch=renorm"
    )
    large = arm_of(published("compare_reuters"), "lstm", "batch")
    accuracy, macro_f1 = (
        points(paired_estimate(small.values(score), large.values(score)))
        for score in ("accuracy", "macro_f1")
    )
    assert measured("Batch renorm") == (
        f"at 8 rows {renorm} against none, the batch's own moments {naive}; "
        f"against batch at 64 rows {accuracy}, macro-F1 {macro_f1}"
    )
    assert f"it is {accuracy}, and F1 {macro_f1}" in said_in("docs/results.md")


def test_padding() -> None:
    batch, layer = (
        against("compare_reuters_padding", f"lstm {norm}, bucket=0", f"lstm {norm}, bucket=25")
        for norm in ("batch", "layer")
    )
    assert measured("Padding biases") == (
        f"45 % against 4 % of padding, masked: batch {batch}, layer {layer}"
    )


def test_dynamic_tanh() -> None:
    said = []
    for cell in ("LSTM", "GRU"):
        curves = curves_of(cell.lower())
        best, along = (
            points(paired_estimate(part(curves["dyt"]), part(curves["layer"])))
            for part in (best_of, over_all)
        )
        said.append(f"{cell} {best} and {along}")
    assert measured("Dynamic tanh").endswith(f"along the whole curve: {'; '.join(said)}")


def test_widths() -> None:
    said = of_cells(widths_of, CURVES, CURVES)
    imdb = of_cells(widths_of, IMDB_CURVES, IMDB_GRU_CURVES)
    assert measured("A norm widens").endswith(f"clean Reuters: {said}; IMDB, 50 words: {imdb}")


def test_a_rate_that_is_too_low() -> None:
    name = "compare_reuters_clean_low_rate"
    arms = {norm: arm.values("accuracy") for norm, arm in by_norm(name, "lstm").items()}
    none = arms.pop("none")
    said = ", ".join(f"{norm} {points(paired_estimate(arm, none))}" for norm, arm in arms.items())
    along = of_cells(along_all, CURVES, CURVES)
    imdb = of_cells(along_all, IMDB_CURVES, IMDB_GRU_CURVES)
    assert measured("A norm forgives") == (
        f"clean Reuters at half the best rate: {said}; along the whole curve of nine rates from "
        f".0002 to .1: {along}; IMDB, 50 words: {imdb}"
    )


def along_all(found: Mapping[str, Curve]) -> str:
    """What each norm has on none along the whole curve."""
    return against_none(found, over_all)


def test_japanese_vowels() -> None:
    said = []
    for cell in ("lstm", "gru"):
        none, layer = (
            cell_text(
                mean_estimate(list(values("compare_japanese_vowels", f"{cell} {norm}").values()))
            )
            for norm in ("none", "layer")
        )
        said.append(f"{cell.upper()} none {none}, layer {layer}")
    assert measured("**JapaneseVowels**") == "; ".join(said)


def test_gains_of_batch_norm() -> None:
    found = ", ".join(
        f"{short(gain)} {against('compare_mnist_rows', f'lstm batch, gamma={gain}', 'lstm none')}"
        for gain in (0.1, 0.3)
    )
    one = against("compare_mnist_rows", "lstm batch, gamma=1.0", "lstm none")
    tenth, whole = (
        against("compare_mnist_permuted", f"lstm batch, gamma={gain}", "lstm none")
        for gain in (0.1, 1.0)
    )
    said = (
        f"MNIST by lines, five epochs, against none: γ {found}, 1 {one}; a quarter of the pixels, "
        f"permuted: γ .1 {tenth}, 1 {whole}"
    )
    assert measured("Recurrent batch norm") == said.replace(".100", ".1").replace(".300", ".3")


def test_norms_on_lines_of_mnist() -> None:
    labels = {
        "none": "none",
        "batch with γ .1": "batch, gamma=0.1",
        "layer": "layer",
        "rms": "rms",
    }
    said = means("compare_mnist_rows", labels)
    assert measured("Norms help") == f"MNIST by lines, five epochs: {said}"


def test_norms_on_permuted_pixels() -> None:
    labels = {
        "none": "none",
        "layer": "layer",
        "batch with γ .1": "batch, gamma=0.1",
        "with 1": "batch, gamma=1.0",
    }
    said = means("compare_mnist_permuted", labels)
    assert measured("Batch norm gains most") == f"a quarter of the pixels, five epochs: {said}"
    assert said in said_in("docs/results.md")


def test_language_models_by_character() -> None:
    name, norms = "compare_characters", ("none", "layer", "rms", "batch")
    said = means(name, {norm: norm for norm in norms}, write=bits)
    assert measured("Norms gain in language models") == f"newswires, bits per character: {said}"
    text, floors = said_in("docs/results.md"), floor_scores(published(name))
    assert floors is not None and said in text
    assert f"n-grams {floors[published(name).task.score.name]:.2f}" in text


def bits(found: Estimate) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def test_a_noisy_first_state() -> None:
    table = (PAGE.parent / "leading_zeros.md").read_text(encoding="utf-8")
    ends = {
        state: float(table.split(f"\n| lstm | batch | {state} | 5 | ")[1].split(" ")[0])
        for state in ("noise", "rest")
    }
    assert f"{short(ends['noise'])} with noise, {short(ends['rest'])} with" in measured("Where all")


def test_statistics_taken_anew() -> None:
    (row,) = (
        line
        for line in (PAGE.parent / "results.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `recipe_reuters_after`:")
    )
    moving, anew = (cell.split(" ± ")[0].strip() for cell in row.split("|")[4:6])
    assert f"{anew} for {moving}" in measured("Statistics taken anew")


def adding(*arms: str) -> list[str]:
    """Mean absolute errors of three lengths, of each arm."""
    found = []
    for arm in arms:
        own = [f"lstm {arm.format(steps)}" for steps in (100, 200, 400)]
        texts = (mean_estimate(list(values("compare_adding", label).values())) for label in own)
        found.append(", ".join(map(cell_text, texts)))
    return found


def test_the_adding_problem() -> None:
    none, layer = adding("none, max_length={}", "layer, max_length={}")
    assert measured("Layer norm solves") == (
        f"mean absolute error after five epochs at 100, 200, 400 steps: none {none}; layer {layer}"
    )


def test_what_batch_norm_has_learnt_to_add() -> None:
    moving, anew = adding("batch, max_length={}", "batch, max_length={}, reestimate=true")
    assert measured("What batch norm") == (
        f"adding, at 100, 200, 400 steps: running averages {moving}; taken anew {anew}"
    )


def test_what_is_said_elsewhere_of_the_adding_problem() -> None:
    none, layer, moving, anew = adding(
        "none, max_length={}", "layer, max_length={}", "batch, max_length={}",
        "batch, max_length={}, reestimate=true",
    )  # fmt: skip
    text = said_in("docs/results.md")
    assert layer in text and anew in text
    for found in (none, moving):
        assert re.sub(r" \([^)]*\)", "", found) in text
    first = moving.split("), ")[0] + ")"
    assert f"its error is {first}, and {anew[:4]} with statistics" in said_in("README.md")


def test_batch_norm_against_always_answering_one() -> None:
    """What an LSTM without a norm does; of these runs it has learnt nothing."""
    worse = [
        error > values("compare_adding", f"lstm none, max_length={steps}")[seed]
        for steps in (100, 200, 400)
        for seed, error in values("compare_adding", f"lstm batch, max_length={steps}").items()
    ]
    assert (sum(worse), len(worse)) == (6, 9)
    assert "six runs of nine worse than always answering 1" in said_in("docs/results.md")
    assert "at .99 that is so in six runs of nine" in said_in("docs/claims.md")


def test_the_trials_of_the_first_split() -> None:
    rates = (0.00186, 0.003934, 0.00832, 0.01759)
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for title, name in (("clean Reuters", "compare_reuters_clean"), ("IMDB", "compare_imdb")):
        for cell in ("lstm", "gru"):
            for norm, arm in by_norm(name, cell).items():
                scores = {
                    run.config["optim.learning_rate"]: short(run.result.validation_score)
                    for run in arm.trials
                    if run.result.seed == 1000
                }
                row = (f"{cell.upper()}, {title}", norm, *(scores[rate] for rate in rates))
                assert f"| {' | '.join(row)} |" in lines
