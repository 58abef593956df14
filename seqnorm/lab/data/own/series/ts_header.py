"""The lines above ``@data`` of a .ts file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from seqnorm.lab.data.own.source import bad

# What follows each key, which is in small letters here, and where it stands.
Fields = dict[str, tuple[str, list[str]]]


class Header(NamedTuple):
    """What a file says of its rows.

    Attributes:
        classes: names of the classes; empty without.
        target: whether labels are numbers.
        dimensions: how many features there are; None if that is not said.
        length: how many steps each row has; None if rows differ, or it is not said.
    """

    classes: tuple[str, ...] = ()
    target: bool = False
    dimensions: int | None = None
    length: int | None = None

    @property
    def labelled(self) -> bool:
        """Whether the last field of a row is its label."""
        return self.target or bool(self.classes)


def header_of(path: Path, fields: Fields) -> Header:
    """What the lines above @data say.

    Raises:
        ValueError: if one is broken, naming it.
    """

    def said(key: str) -> bool:
        place, values = fields.get(key, ("", ["false"]))
        if not values or values[0].lower() not in ("true", "false"):
            raise bad(
                place,
                f"@{key} must say true or false, received {' '.join(values) or 'nothing'!r}. "
                "Correct the header.",
            )
        return values[0].lower() == "true"

    if said("timestamps"):
        raise bad(
            fields["timestamps"][0],
            "values must stand alone, received @timestamps true. Write each row without its times.",
        )
    classes: list[str] = []
    if said("classlabel"):
        place, values = fields["classlabel"]
        classes = values[1:]
        if not classes:
            raise bad(
                place,
                "@classLabel true must be followed by the names of the classes, received none. Add "
                "them, as in @classLabel true A B.",
            )
    dimensions = 1 if said("univariate") else None
    for key in ("dimensions", "dimension"):
        if key in fields:
            dimensions = _whole(key, fields)
    equal = said("equallength") and "serieslength" in fields
    length = _whole("serieslength", fields) if equal else None
    return Header(tuple(classes), said("targetlabel"), dimensions, length)


def _whole(key: str, fields: Fields) -> int:
    place, values = fields[key]
    if len(values) != 1 or not (values[0].isascii() and values[0].isdigit()) or not int(values[0]):
        raise bad(
            place,
            f"@{key} must be a whole number, received {' '.join(values) or 'nothing'!r}. "
            "Correct the header.",
        )
    return int(values[0])


def require_labels(path: Path, header: Header, kind: str | None) -> None:
    """Refuses a file whose labels are of another kind.

    Args:
        path: the file.
        header: of it.
        kind: what is wanted, "class", "number" or "tags"; None for none.

    Raises:
        ValueError: saying what the file has.
    """
    if kind is None or (kind == "class" and header.classes and not header.target):
        return
    if kind == "number" and header.target:
        return
    has = "numbers" if header.target else "classes" if header.classes else "no labels"
    needs, advice = {
        "class": ("classes, @classLabel true A B", "Use task=regression for numbers."),
        "number": ("numbers, @targetLabel true", "Use task=classification for classes."),
        "tags": ("a label for each step, which .ts has not", "Save the rows as .npz or Parquet."),
    }[kind]
    raise bad(str(path), f"the task needs {needs}; received a header with {has}. {advice}")
