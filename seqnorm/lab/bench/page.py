"""Tables in a page of Markdown, made anew from a measurement; those of other processors stay.

A page has the tables of a backend between two lines, each under the name of its processor:

    <!-- seqnorm-bench tensorflow -->

    AMD EPYC, vectors of 256 bits, 2 threads:

    | cell, shape | keras, ms | none | layer |
    |---|---|---|---|
    | LSTM 64x200x128x128 | 207 | 0.40 | 0.44 |

    <!-- end -->

The second column has the milliseconds of the layer to which the ratios after it are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from seqnorm.lab.bench.measure import Summary
from seqnorm.lab.durable import write_text
from seqnorm.lab.errors import UserError

_END = "<!-- end -->"
_CELLS = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN"}
Rows = dict[str, dict[str, str]]  # row -> heading -> text


def update(
    page: Path, backend: str, machine: str, tables: Mapping[str, Mapping[str, Summary]]
) -> None:
    """Writes a measurement into the table of a backend.

    Args:
        page: a file that has the two lines.
        backend: whose table.
        machine: what the table is named by; one of that name is replaced row by row.
        tables: by "cell shape" the subjects, of which the first is the one that ratios are to.

    Raises:
        UserError: if the page cannot be read or lacks the lines.
    """
    before, block, after = parts(page, backend)
    processors = _read(block)
    rows = processors.setdefault(machine, {})
    for title, subjects in tables.items():
        cell, _, shape = title.partition(" ")
        (base, first), *others = subjects.items()
        rows[f"{_CELLS[cell]} {shape}"] = {f"{base}, ms": f"{first.milliseconds:.0f}"} | {
            name.removeprefix("fused "): f"{found.ratio:.2f}" for name, found in others
        }
    write_text(page, "\n".join([*before, "", *_written(processors), *after]) + "\n")


def parts(page: Path, backend: str) -> tuple[list[str], list[str], list[str]]:
    """The lines of a page before, in and after the table of a backend.

    Raises:
        UserError: if there are none.
    """
    first = f"<!-- seqnorm-bench {backend} -->"
    try:
        lines = page.read_text(encoding="utf-8").splitlines()
        begin = lines.index(first) + 1
        end = lines.index(_END, begin)
    except (OSError, ValueError) as error:
        raise UserError(
            f"--page needs a file with the lines {first} and {_END}, between which the table goes; "
            f"received page={page} ({error})."
        ) from error
    return lines[:begin], lines[begin:end], lines[end:]


def _read(block: list[str]) -> dict[str, Rows]:
    processors: dict[str, Rows] = {}
    headings: list[str] = []
    rows: Rows = {}
    for line in filter(None, block):
        if not line.startswith("|"):
            headings, rows = [], processors.setdefault(line.removesuffix(":"), {})
            continue
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not headings:
            headings = cells
        elif not cells[0].startswith("-"):
            rows[cells[0]] = dict(zip(headings[1:], cells[1:], strict=True))
    return processors


def _written(processors: dict[str, Rows]) -> list[str]:
    lines: list[str] = []
    for machine, rows in processors.items():
        headings = list(dict.fromkeys(heading for found in rows.values() for heading in found))
        table = [["cell, shape", *headings]]
        table += [[row, *(found.get(each, "") for each in headings)] for row, found in rows.items()]
        marked = ["| " + " | ".join(cells) + " |" for cells in table]
        lines += [f"{machine}:", "", marked[0], "|" + "---|" * len(table[0]), *marked[1:], ""]
    return lines
