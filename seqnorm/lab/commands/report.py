"""The command `seqnorm-report`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seqnorm.lab import console
from seqnorm.lab.report.page.report import write_report
from seqnorm.lab.runs.find import ignored_lines
from seqnorm.lab.signals import interruptible


def build_parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(
        prog="seqnorm-report",
        description="Compare finished runs: tables, learning curves, statistics over time, CSV.",
        epilog="A run with model=bag_of_words among them is the floor under the others.",
    )
    parser.add_argument(
        "runs",
        nargs="+",
        type=Path,
        help="run folders, folders that hold run folders, or the folder of an earlier report",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder of the report (default: report in the first folder; beside it if it is a run)",
    )
    parser.add_argument(
        "--no-pictures",
        action="store_true",
        help="write no PNG and PDF files; the page has its charts all the same",
    )
    parser.add_argument(
        "--no-pages",
        action="store_true",
        help="write runs.csv and findings.json only, from which the page is made again",
    )
    return parser


@console.command
@interruptible("seqnorm-report: interrupted; the same command makes it anew")
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report and print its tables.

    Args:
        arguments: Command line without the program's name; `None` reads the process's own.

    Returns:
        Exit code: 0, 1 with one message on standard error if there is nothing to report, 130, 143
        or 129 if interrupted by Ctrl-C, SIGTERM or SIGHUP.
    """
    options = build_parser().parse_args(arguments)
    try:
        report = write_report(
            options.runs,
            options.out,
            pictures=not options.no_pictures,
            pages=not options.no_pages,
        )
    except (OSError, ValueError) as error:
        print(f"seqnorm-report: {error}", file=sys.stderr)
        return 1
    print(report.text)
    if report.ignored:
        print(f"\nRun folders ignored: {len(report.ignored)}")
        for line in ignored_lines(report.ignored):
            print(f"  {line}")
    print(f"\nReport: {report.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
