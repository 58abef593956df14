"""The command ``seqnorm-predict``: texts or numbers in, one answer a line out."""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from seqnorm.lab import console
from seqnorm.lab.commands.table import add_table_options, table_of
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.errors import UserError
from seqnorm.lab.signals import interruptible
from seqnorm.lab.trained.given import Table, require_file, rows_of
from seqnorm.spelling import counted

if TYPE_CHECKING:
    from seqnorm.lab.trained import Trained

PIECE = 1024  # rows that are read, answered and written at a time


def build_parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(
        prog="seqnorm-predict",
        description="Answer texts, or rows of numbers, with the network of a finished run.",
        epilog="Answers are JSON lines in the order of the rows. A row that cannot be answered "
        "gets a line with its error, and the exit code is then 1.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run folder")
    parser.add_argument(
        "file",
        nargs="?",
        default="-",
        metavar="FILE",
        help=".csv, .tsv, .jsonl (.ndjson, .json) and .parquet by column; .txt, or without an "
        "ending, a text a line; each also with .gz; - reads from a pipe. Of a run on numbers .npz, "
        ".ts or .parquet",
    )
    add_table_options(parser)
    parser.add_argument(
        "--csv", action="store_true", help="write CSV: row, answer and probability, no details"
    )
    return parser


@console.command
@interruptible("seqnorm-predict: interrupted; the lines that were written are complete")
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: command line without the program's name; None takes the process's own.

    Returns:
        Exit code: 0; 1 with one message on standard error if the run or the file cannot be used or
        some row cannot be answered; 130, 143 or 129 if interrupted.
    """
    options = build_parser().parse_args(arguments)
    try:
        return predict(options.run, options.file, table_of(options), options.csv)
    except (ConfigError, UserError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(f"seqnorm-predict: {error}", file=sys.stderr)
        return 1


def predict(run: Path, file: str, table: Table | None = None, as_csv: bool = False) -> int:
    """Answers the rows of a file and prints one line for each; says on standard error how fast.

    Args:
        run: the run folder.
        file: of texts, or of numbers if the run is on such; see `build_parser`.
        table: how a file with columns is read.
        as_csv: see `build_parser`.

    Raises:
        UserError: if the run keeps no network, or the file cannot be read.
    """
    from seqnorm.lab.trained import load

    require_file(file)
    trained = load(run)
    rows = rows_of(trained, file, table or Table())
    return _answer(trained, rows, "row" if trained.of_numbers else "text", as_csv)


def _answer(trained: Trained, rows: Iterable[Any], what: str, as_csv: bool) -> int:
    """Answers rows, each a text, an array, or the error why it is none."""
    done, wrong, seconds = 0, 0, 0.0
    write = _csv_lines(sys.stdout) if as_csv else _json_lines(sys.stdout)
    source = iter(rows)
    while piece := list(itertools.islice(source, PIECE)):
        begin = time.perf_counter()
        answers = iter(trained.predict([row for row in piece if not isinstance(row, ValueError)]))
        seconds += time.perf_counter() - begin
        for row in piece:
            done += 1
            bad = isinstance(row, ValueError)
            wrong += bad
            write(done, {"error": str(row)} if bad else next(answers))
        sys.stdout.flush()
    speed = (done - wrong) / seconds if seconds else 0
    rate = f", {speed:,.0f} a second" if speed >= 10 else f", {speed:.1g} a second" if speed else ""
    left = f"; {counted(wrong, 'row')} could not be answered" if wrong else ""
    print(f"seqnorm-predict: {counted(done - wrong, what)}{rate}{left}", file=sys.stderr)
    return 1 if wrong else 0


def _json_lines(out: TextIO) -> Any:
    return lambda row, answer: print(
        json.dumps({"row": row, **answer}, ensure_ascii=False), file=out
    )


def _csv_lines(out: TextIO) -> Any:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", "answer", "probability", "error"])

    def write(row: int, answer: dict[str, Any]) -> None:
        first = next(iter(answer.values())) if "error" not in answer else ""
        text = " ".join(map(str, first)) if isinstance(first, list) else first
        writer.writerow([row, text, answer.get("probability", ""), answer.get("error", "")])

    return write


if __name__ == "__main__":
    sys.exit(main())
