"""Rows of JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from seqnorm.lab.data.own.source import Layout, Row, bad, nearest, opened


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows of a file; empty lines are passed over.

    Raises:
        ValueError: if a line is no object with both keys, or not in UTF-8.
    """
    with opened(path) as content:
        for number, line in enumerate(content, 1):
            place = f"{path}, line {number}"
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if not text:
                continue
            try:
                record = json.loads(text)
            except ValueError as error:
                whole = " One array over many lines is not read." if text[0] in "[{" else ""
                raise bad(
                    place,
                    f"each line needs one JSON object, received {_short(text)} ({error}).{whole} "
                    "Write one object a line.",
                ) from error
            if not isinstance(record, dict):
                example = json.dumps(dict.fromkeys(layout.columns.values(), "..."))
                raise bad(
                    place,
                    f"each line needs one JSON object, received {_short(text)}. Write one object a "
                    f"line, such as {example}.",
                )
            for key, wanted in layout.columns.items():
                if wanted not in record:
                    raise bad(
                        place,
                        f"{key} must name a key of every object, received {key}={wanted} and an "
                        f"object without it.{nearest(key, wanted, record)} Its keys are "
                        f"{', '.join(record) or 'none'}.",
                    )
            yield Row(place, record[layout.text], record.get(layout.label))


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
