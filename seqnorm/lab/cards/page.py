"""A data card as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from seqnorm.lab.cards.features import rows_of_table
from seqnorm.lab.cards.measure import PARTS
from seqnorm.spelling import counted

NAMES = {0: "shortest", 50: "median length", 100: "longest"}
SHOWN = (0, 5, 25, 50, 75, 95, 100)


def page(card: dict[str, Any]) -> str:
    """The card as Markdown, with links to its two pictures."""
    return "\n".join(
        [
            f"# {card['name']}",
            "",
            _subject(card),
            "",
            "Settings: "
            + ", ".join(
                f"{key}={value}" for key, value in card["settings"].items() if value is not None
            )
            + ".",
            "",
            *_parts(card),
            *(f"- {note}\n" for note in card["notes"]),
            *_repeated(card["repeated"], "Rows" if "features" in card else "Texts"),
            f"![Labels and lengths]({picture_of_rows(card)})",
            "",
            *_features(card.get("features")),
            *_labels(card),
            "## Batches of the first epoch",
            "",
            *_batches(card["batches"]),
            "![Rows alive at each step and padding](batches.png)",
            "",
            *_speed(
                card["speed"], *(("steps", "numbers") if "features" in card else ("tokens", "ids"))
            ),
        ]
    )


def picture_of_rows(card: dict[str, Any]) -> str:
    """The name of the picture of labels and lengths."""
    return "rows.png" if "features" in card else "texts.png"


def _subject(card: dict[str, Any]) -> str:
    """What rows are made of and labelled with, and what an answer without a model is worth."""
    of = (
        f"{len(card['features'])} features" if "features" in card else f"{card['vocabulary']:,} ids"
    )
    if card["labelled"] == "nothing":
        return f"Rows without labels, {of}."
    if card["labelled"] == "several":
        return f"Any number of {card['classes']} classes a row, {of}."
    if card["labelled"] == "numbers":
        errors = card["mean_answer"]
        return (
            f"A number a row, {of}. Always answering the mean label of train has a mean absolute "
            f"error of {errors['mae']:.4g} on test, and a root mean squared one of "
            f"{errors['rmse']:.4g}."
        )
    where = " at every step" if card["labelled"] == "steps" else ""
    return (
        f"{card['classes']} classes{where}, {of}. Always answering the most frequent class scores "
        f"{card['majority_accuracy']:.4f} on test."
    )


def _features(features: Sequence[dict[str, Any]] | None) -> list[str]:
    if features is None:
        return []
    head = ["train", "mean", "spread", "smallest", "median", "largest"]
    return [
        "## Features",
        "",
        *table(head, rows_of_table(features)),
        "![Range and course of the features](features.png)",
        "",
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table, and an empty one; all columns but the first to the right.

    A name with a line break would end its row, and a bar its cell.
    """
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", "\\n") for cell in line] for line in lines]
    return [*("| " + " | ".join(line) + " |" for line in cells), ""]


def _parts(card: dict[str, Any]) -> list[str]:
    parts = [card["parts"][part] for part in PARTS]
    rows = [["examples", *(f"{part['examples']:,}" for part in parts)]]
    if "features" in card:
        rows.append(["steps", *(f"{part['tokens']:,}" for part in parts)])
    else:
        rows += [
            ["tokens, start tokens included", *(f"{part['tokens']:,}" for part in parts)],
            ["unknown words", *(f"{part['unknown_rate']:.2%}" for part in parts)],
        ]
    rows += [
        ["mean length", *(f"{part['length_mean']:.1f}" for part in parts)],
        ["of the largest length", *(f"{part['longest_share']:.1%}" for part in parts)],
    ]
    for percent in SHOWN:
        name = NAMES.get(percent, f"{percent} % are no longer than")
        rows.append([name, *(f"{part['length_percentiles'][percent]:,}" for part in parts)])
    return table(["", *PARTS], rows)


def _repeated(numbers: dict[str, int], rows: str) -> list[str]:
    return [
        f"{rows} that are equal as the model sees them: test examples that also stand in train or "
        f"validation: {numbers['test_in_training']:,}; validation examples that also stand in "
        f"train: {numbers['validation_in_training']:,}; examples that stand somewhere with another "
        f"label: {numbers['several_labels']:,}.",
        "",
    ]


def _labels(card: dict[str, Any]) -> list[str]:
    parts = [card["parts"][part] for part in PARTS]
    if card["labelled"] == "nothing":
        return []
    if card["labelled"] != "numbers":
        title = "## Classes of steps" if card["labelled"] == "steps" else "## Classes"
        return [title, "", *_classes(card)]
    rows = [
        ["mean", *(f"{part['label_mean']:.4g}" for part in parts)],
        ["spread", *(f"{part['label_spread']:.4g}" for part in parts)],
    ]
    for percent in SHOWN:
        name = {0: "smallest", 50: "median", 100: "largest"}.get(percent, f"{percent} %")
        rows.append([name, *(f"{part['label_percentiles'][percent]:.4g}" for part in parts)])
    return ["## Labels", "", *table(["", *PARTS], rows)]


def _classes(card: dict[str, Any]) -> list[str]:
    counts = [card["parts"][part]["class_counts"] for part in PARTS]
    rows = [
        [name, *(f"{count[label]:,}" for count in counts)]
        for label, name in enumerate(card["labels"])
    ]
    if card["labelled"] == "several":
        most = max(len(card["parts"][part]["rows_by_labels"]) for part in PARTS)
        rows += [
            [f"rows with {counted(number, 'class')}", *_rows_with(card, number)]
            for number in range(most)
        ]
    return table(["", *PARTS], rows)


def _rows_with(card: dict[str, Any], number: int) -> Iterator[str]:
    for part in PARTS:
        rows = card["parts"][part]["rows_by_labels"]
        yield f"{rows[number]:,}" if number < len(rows) else "0"


def _batches(kinds: dict[str, Any]) -> list[str]:
    first = next(iter(kinds.values()))
    rows = [
        ["batches", *(f"{kind['batches']:,}" for kind in kinds.values())],
        ["padding", *(f"{kind['padding_share']:.1%}" for kind in kinds.values())],
    ]
    for few in first["few_share"]:
        name = f"steps with at most {few} rows alive" if few != "1" else "steps with one row alive"
        rows.append([name, *(f"{kind['few_share'][few]:.2%}" for kind in kinds.values())])
    last = len(first["alive"]["median"])
    for step in sorted({1, *(last * part // 4 for part in (1, 2, 3, 4))} - {0}):
        cells = [_alive(kind["alive"], step - 1, kind["batches"]) for kind in kinds.values()]
        rows.append([f"rows alive at step {step}, median (5 to 95 %)", *cells])
    return table(["", *kinds], rows)


def _alive(rows: dict[str, list[float]], step: int, batches: int) -> str:
    text = f"{rows['median'][step]:.0f} ({rows['low'][step]:.0f} to {rows['high'][step]:.0f})"
    share = rows["batches"][step] / batches
    return text if share == 1 else f"{text} in {share:.0%} of batches"


def _speed(speed: dict[str, float | None], steps: str, content: str) -> list[str]:
    lines = ["## Speed and memory, on the machine that made this card", ""]
    lines.append(f"- pipeline alone: {speed['pipeline_tokens_per_second']:,.0f} {steps}/s")
    if (training := speed.get("training_tokens_per_second")) is not None:
        share = training / (speed["pipeline_tokens_per_second"] or 1.0)
        lines.append(
            f"- training step alone: {training:,.0f} {steps}/s; the pipeline needs {share:.2%} of "
            "that time"
        )
    lines.append(f"- loading: {speed['loading_seconds']:.1f} s")
    if (peak := speed["peak_memory_mb"]) is not None:
        lines.append(
            f"- memory: {peak:,.0f} MB at most while loading, {speed['start_memory_mb']:,.0f} MB "
            f"before; the {content} themselves are {speed['ids_mb']:,.0f} MB"
        )
    return [*lines, ""]
