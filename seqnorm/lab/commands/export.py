"""The command ``seqnorm-export``: what a run trained, as a file for elsewhere."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from seqnorm.lab import console
from seqnorm.lab.commands.table import add_table_options, table_of
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.errors import UserError
from seqnorm.lab.export import NAMES, export
from seqnorm.lab.signals import interruptible


def build_parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(
        prog="seqnorm-export",
        description="Write the network of a finished run in a format for elsewhere.",
        epilog="The file is run in its own runtime and compared with the network before it gets "
        "its name. What a format does not hold is said first.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run folder")
    parser.add_argument("--to", required=True, choices=NAMES, help="the format")
    parser.add_argument(
        "--out", type=Path, metavar="PATH", help="the folder to write (default: RUN/FORMAT)"
    )
    parser.add_argument(
        "--rows",
        metavar="FILE",
        help="compare on the first 100 rows of this file, read as by seqnorm-predict "
        "(default: on rows that are drawn)",
    )
    add_table_options(parser)
    parser.add_argument("--force", action="store_true", help="write over an earlier export")
    return parser


@console.command
@interruptible("seqnorm-export: interrupted; nothing was written")
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: command line without the program's name; None takes the process's own.

    Returns:
        Exit code: 0; 1 with one message on standard error if the run cannot be exported; 130, 143
        or 129 if interrupted.
    """
    options = build_parser().parse_args(arguments)
    try:
        table = table_of(options)
        export(options.run, options.to, options.out, options.force, options.rows, table)
    except (ConfigError, UserError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(f"seqnorm-export: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
