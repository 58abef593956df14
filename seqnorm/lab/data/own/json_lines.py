"""Rows of JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqnorm.lab.data.own.source import Layout, Row, bad, nearest, opened


def read(path: Path, layout: Layout) -> Iterator[Row | ValueError]:
    """The rows of a file, or why one is none; empty lines are passed over.

    Raises:
        UnicodeDecodeError: if a line is not in UTF-8.
    """
    first: tuple[str, str] | None = None  # of the labels: their kind, and where one stands
    with opened(path) as content:
        for number, line in enumerate(content, 1):
            place = f"{path}, line {number}"
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if not text:
                continue
            try:
                record = _record(text, layout)
                label = record.get(layout.label)
                if (kind := _kind(label)) is not None:
                    first = first or (kind, place)
                    _require_kind(layout, label, kind, *first)
            except ValueError as error:
                yield bad(place, error)
            else:
                yield Row(place, record[layout.text], label)


def _record(text: str, layout: Layout) -> dict[Any, Any]:
    """An object with both keys."""
    try:
        record = json.loads(text, object_pairs_hook=_distinct)
    except RecursionError as error:
        raise ValueError(
            f"each line needs one JSON object, received {_short(text)}, nested too deep to be "
            "read. Correct or remove it."
        ) from error
    except ValueError as error:
        cut = isinstance(error, json.JSONDecodeError) and text[0] in "[{"
        whole = " One array over many lines is not read." if cut else ""
        raise ValueError(
            f"each line needs one JSON object, received {_short(text)} ({error}).{whole} "
            "Write one object a line."
        ) from error
    if not isinstance(record, dict):
        example = json.dumps(dict.fromkeys(layout.columns.values(), "..."))
        raise ValueError(
            f"each line needs one JSON object, received {_short(text)}. Write one object a "
            f"line, such as {example}."
        )
    for key, wanted in layout.columns.items():
        if wanted not in record:
            raise ValueError(
                f"{key} must name a key of every object, received {key}={wanted} and an "
                f"object without it.{nearest(key, wanted, record)} Its keys are "
                f"{', '.join(record) or 'none'}."
            )
    if "\\u" in text:  # only so can half a character come in
        try:
            read = [record[key] for key in layout.columns.values()]
            json.dumps(read, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                "texts and labels need whole characters, received one half of a pair, "
                f"\\u{ord(error.object[error.start]):04x}, in {_short(text)}. Correct or remove it."
            ) from error
    return record


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice} stands in it more than once")
    return found


def _kind(label: Any) -> str | None:
    """What a label is; of several the first one's kind, None where there is none."""
    if isinstance(label, list):
        return next(filter(None, map(_kind, label)), None)
    kinds = {bool: "true or false", str: "a text", int: "a number", float: "a number"}
    return kinds.get(type(label))


def _require_kind(layout: Layout, label: Any, kind: str, wanted: str, place: str) -> None:
    """Refuses a label of another kind than the first: 1, true and "1" are three classes or one."""
    kinds = {_kind(each) for each in label} - {None} if isinstance(label, list) else {kind}
    if kinds != {wanted}:
        other = next(each for each in kinds if each != wanted)
        raise ValueError(
            f"all labels of a file are of one kind, received {layout.label}={repr(label)[:60]}, "
            f"{other}, and {wanted} in {place}. Write all of them alike."
        )


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
