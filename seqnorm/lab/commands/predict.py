"""The command ``seqnorm-predict``: texts or numbers in, one answer a line out."""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from seqnorm.lab import console
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.errors import UserError, blame_the_input
from seqnorm.lab.signals import interruptible
from seqnorm.spelling import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        help="a text a line; .csv, .tsv (with a header) and .jsonl by column; - reads from a pipe. "
        "Of a run on numbers .npz or .ts",
    )
    parser.add_argument(
        "--text", default="text", metavar="COLUMN", help="of .csv, .tsv and .jsonl (default: text)"
    )
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
        return predict(options.run, options.file, options.text, options.csv)
    except (ConfigError, UserError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(f"seqnorm-predict: {error}", file=sys.stderr)
        return 1


def predict(run: Path, file: str, column: str = "text", as_csv: bool = False) -> int:
    """Answers the rows of a file and prints one line for each; says on standard error how fast.

    Args:
        run: the run folder.
        file: of texts, or of numbers if the run is on such; see `build_parser`.
        column: likewise.
        as_csv: likewise.

    Raises:
        UserError: if the run keeps no network, or the file cannot be read.
    """
    from seqnorm.lab.trained import load

    with _opened(file) as source:  # before the network, which takes seconds
        trained = load(run)
        if trained.vocabulary is None:
            return _answer(trained, _numbers(trained, file), "row", as_csv)
        return _answer(trained, _texts(source, file, column), "text", as_csv)


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
    rate = f", {(done - wrong) / seconds:,.0f} a second" if seconds else ""
    left = f"; {counted(wrong, 'row')} could not be answered" if wrong else ""
    print(f"seqnorm-predict: {counted(done - wrong, what)}{rate}{left}", file=sys.stderr)
    return 1 if wrong else 0


def _numbers(trained: Trained, file: str) -> Iterator[NDArray | ValueError]:
    """The rows of a file of numbers; an error where one cannot be answered."""
    from seqnorm.lab.data.own.series.unlabelled import rows

    features = trained.scale.features if trained.scale else ()
    with blame_the_input():
        for row in rows(Path(file), features):
            yield row if isinstance(row, ValueError) else _checked(trained, row)


def _checked(trained: Trained, row: NDArray) -> NDArray | ValueError:
    try:
        trained.numbers(row)
    except ValueError as error:
        return error
    return row


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


def _opened(file: str) -> Any:
    if file == "-":
        # Errors of encoding are one row's, not the end of all.
        return open(sys.stdin.fileno(), encoding="utf-8", errors="surrogateescape", closefd=False)
    try:
        return open(file, encoding="utf-8", errors="surrogateescape", newline="")
    except OSError as error:
        raise UserError(
            f"seqnorm-predict needs a file that can be read; received {file} ({error.strerror})."
        ) from error


def _texts(source: TextIO, file: str, column: str) -> Iterator[str | ValueError]:
    """The texts of a file by its ending; an error where a row holds none."""
    ending = Path(file).suffix
    if ending == ".jsonl":
        rows: Iterable[Any] = map(_parsed, source)
    elif ending in (".csv", ".tsv"):
        table = csv.DictReader(source, delimiter="\t" if ending == ".tsv" else ",", strict=True)
        if column not in (table.fieldnames or ()):
            raise UserError(
                f"{file} needs the column of texts; received --text {column}, and its columns are "
                f"{', '.join(table.fieldnames or ()) or 'none'}."
            )
        rows = table
    else:
        rows = ({column: line.rstrip("\r\n")} for line in source)
    for row in rows:
        yield _text(row, column)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        return ValueError(f"a row needs a JSON object; received {line.strip()[:60]!r} ({error})")


def _text(row: Any, column: str) -> str | ValueError:
    if isinstance(row, ValueError):
        return row
    text = row.get(column) if isinstance(row, dict) else None
    if not isinstance(text, str) or not text.strip():
        return ValueError(f"a row needs a text; received {column}={text!r}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return ValueError("a text must be in UTF-8; received other bytes")
    return text


if __name__ == "__main__":
    sys.exit(main())
