"""The command ``seqnorm-predict``: texts in, one answer a line out."""

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
from typing import Any, TextIO

from seqnorm.lab import console
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.errors import UserError
from seqnorm.lab.signals import interruptible
from seqnorm.spelling import counted

PIECE = 1024  # texts that are read, answered and written at a time


def build_parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(
        prog="seqnorm-predict",
        description="Answer texts with the network of a finished run.",
        epilog="Answers are JSON lines in the order of the texts. A row that holds no text gets a "
        "line with its error, and the exit code is then 1.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run folder")
    parser.add_argument(
        "file",
        nargs="?",
        default="-",
        metavar="FILE",
        help="a text a line; .csv, .tsv (with a header) and .jsonl by column; - reads from a pipe",
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
        some row holds no text; 130, 143 or 129 if interrupted.
    """
    options = build_parser().parse_args(arguments)
    try:
        with _opened(options.file) as source:
            return predict(options.run, _texts(source, options.file, options.text), options.csv)
    except (ConfigError, UserError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(f"seqnorm-predict: {error}", file=sys.stderr)
        return 1


def predict(run: Path, texts: Iterable[str | ValueError], as_csv: bool = False) -> int:
    """Answers texts and prints one line for each; says on standard error how fast.

    Args:
        run: the run folder.
        texts: a text, or why a row holds none.
        as_csv: see `build_parser`.

    Raises:
        UserError: if the run has no network that answers texts.
    """
    from seqnorm.lab.trained import load

    trained = load(run)
    if trained.vocabulary is None:
        raise UserError(
            f"seqnorm-predict answers texts; received a run of data={trained.config.data.name}, "
            "whose rows are numbers. Use seqnorm.lab.load(run).predict(arrays) in Python."
        )
    done, wrong, seconds = 0, 0, 0.0
    write = _csv_lines(sys.stdout) if as_csv else _json_lines(sys.stdout)
    source = iter(texts)
    while piece := list(itertools.islice(source, PIECE)):
        begin = time.perf_counter()
        answers = iter(trained.predict([text for text in piece if isinstance(text, str)]))
        seconds += time.perf_counter() - begin
        for text in piece:
            done += 1
            good = isinstance(text, str)
            wrong += not good
            write(done, next(answers) if good else {"error": str(text)})
        sys.stdout.flush()
    rate = f", {(done - wrong) / seconds:,.0f} texts/s" if seconds else ""
    bad = f"; {counted(wrong, 'row')} without a text" if wrong else ""
    print(f"seqnorm-predict: {counted(done - wrong, 'text')}{rate}{bad}", file=sys.stderr)
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
