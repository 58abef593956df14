"""Options of the commands that read rows for a finished run from a file."""

from __future__ import annotations

import argparse

from seqnorm.lab.trained.given import Table


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Adds those that say how a file with columns of texts is read."""
    parser.add_argument(
        "--text",
        metavar="COLUMN",
        help="the column of texts, of a file with columns (default: text)",
    )
    parser.add_argument(
        "--delimiter",
        type=_sign,
        metavar="SIGN",
        help="between the fields of .csv and .tsv (default: by ending)",
    )
    parser.add_argument(
        "--no-quotes", action="store_true", help="quotes are plain characters in .csv and .tsv"
    )


def table_of(options: argparse.Namespace) -> Table:
    """What they say."""
    return Table(options.text, options.delimiter, not options.no_quotes)


def _sign(text: str) -> str:
    if len(text) != 1 or text in '\r\n"':
        raise argparse.ArgumentTypeError(f"must be one character; received {text!r}")
    return text
