"""The command ``seqnorm-check``."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

from seqnorm.checks import CHECKS, run
from seqnorm.checks.row import Row
from seqnorm.lab import console
from seqnorm.lab.quiet import import_keras
from seqnorm.lab.signals import interruptible

HEADER = f"{'expected':>12}{'measured':>13}  {'tolerance':16}"


def build_parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(
        prog="seqnorm-check",
        description="Check what is claimed of the normalised cells against what they do here.",
        epilog="checks:\n" + "\n".join(f"  {name:17}{about}" for name, about in CHECKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="check", help="which; default: all of them")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    return parser


@console.command
@interruptible("seqnorm-check: interrupted")
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the checks and prints every row.

    Args:
        arguments: command line without the program's name; None takes the process's own.

    Returns:
        Exit code: 0, 1 if a row failed, 130, 143 or 129 if interrupted by Ctrl-C, SIGTERM or
        SIGHUP. Unknown names end the program with 2.
    """
    parser = build_parser()
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(CHECKS))
    if unknown:
        parser.error(f"unknown check {', '.join(unknown)}; choose from {', '.join(CHECKS)}")
    found: list[dict[str, Any]] = []
    names = options.names or list(CHECKS)
    for name in console.track(names, "Running checks, after Keras is loaded", len(names)):
        import_keras()
        start = time.perf_counter()
        rows = _rows(name)
        found.append(_record(name, rows, time.perf_counter() - start))
        if not options.json:
            print(table(found[-1]), flush=True)
    passed = [row["passed"] for each in found for row in each["rows"]]
    failed = passed.count(False)
    if options.json:
        print(json.dumps({"passed": not failed, "checks": found}, indent=1, allow_nan=False))
    else:
        seconds = sum(each["seconds"] for each in found)
        print(f"{len(passed) - failed} of {len(passed)} rows passed in {seconds:.0f} s")
    return 1 if failed else 0


def _rows(name: str) -> list[Row]:
    """The rows of a check; one that raises has failed, and the others still run."""
    try:
        return run(name)
    except Exception as error:
        traceback.print_exc()
        raised = f"raised {type(error).__name__}: {error}"
        return [Row(raised, 0.0, math.nan, "no error", f"seqnorm.checks, {name}", False)]


def _record(name: str, rows: list[Row], seconds: float) -> dict[str, Any]:
    """A check as JSON holds it; a measurement that is no number becomes text, such as "nan"."""
    listed = [row._asdict() for row in rows]
    for row in listed:
        row["measured"] = (
            row["measured"] if math.isfinite(row["measured"]) else str(row["measured"])
        )
    return {"name": name, "about": CHECKS[name], "seconds": round(seconds, 2), "rows": listed}


def table(record: dict[str, Any]) -> str:
    """One check as text: a row per line, the source where it differs from the row above."""
    width = max(len(row["name"]) for row in record["rows"]) + 2
    lines = [f"{record['name']}: {record['about']} ({record['seconds']:.1f} s)"]
    lines.append(f"      {'':{width}}{HEADER}source")
    source = ""
    for row in record["rows"]:
        measured = float(row["measured"])
        shown = row["source"] if row["source"] != source else ""
        source = row["source"]
        lines.append(
            f"  {'ok  ' if row['passed'] else 'FAIL'}{row['name']:{width}}{row['expected']:>12.6g}"
            f"{measured:>13.6g}  {row['tolerance']:16}{shown}".rstrip()
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
