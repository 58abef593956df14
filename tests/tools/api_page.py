"""The API page: signatures and docstrings of the public names as Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import seqnorm
from seqnorm import migrate, normalizers
from seqnorm.cells import NormCell, variants
from seqnorm.normalizers import small_batch
from seqnorm.normalizers.base import AffineNormalizer

HEADER = """# API

Made from the docstrings by `python scripts/api_page.py`. Shapes are written dtype[axis, ...].
"""
SECTION = re.compile(
    r"(Args|Call arguments|Attributes|Example|Masking|Raises|References?|Returns):"
)
ENTRY = re.compile(r"([\w*][\w*, .]*): +(.*)", re.DOTALL)
LISTS = ("Args", "Call arguments", "Attributes", "Raises")


def page() -> str:
    """The whole page."""
    converters = [
        thing
        for name, thing in vars(migrate).items()
        if inspect.isfunction(thing) and not name.startswith("_")
    ]
    return "\n".join(
        [
            HEADER,
            "## Cells and layers\n",
            *(_entry(thing, "seqnorm") for thing in _public(seqnorm)),
            _entry(NormCell, "seqnorm.cells"),
            "## Normalisers\n",
            *(_entry(thing, "seqnorm.normalizers") for thing in _public(normalizers)),
            _entry(AffineNormalizer, "seqnorm.normalizers.base"),
            "## Small batches\n",
            markdown(small_batch),
            "## Variants\n",
            markdown(variants),
            "## Weights from elsewhere\n",
            markdown(migrate),
            *(_entry(thing, "seqnorm.migrate") for thing in converters),
        ]
    )


def _public(module: Any) -> list[Any]:
    return [thing for name in module.__all__ if callable(thing := getattr(module, name))]


def _entry(thing: Any, home: str) -> str:
    """Heading, signature and docstring of one class or function."""
    name = thing.__name__
    # Not "python": the tests run those blocks.
    code = f"```py\n{signature(thing, f'{home}.{name}')}\n```\n"
    return "\n".join([f"### {name}\n", code, markdown(thing)])


def signature(thing: Callable[..., Any], name: str) -> str:
    """`name(a, b=1)` without annotations, wrapped."""
    parameters = inspect.signature(thing).parameters.values()
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    text = f"{name}{inspect.Signature(bare)}"
    return "\n".join(textwrap.wrap(text, 96, subsequent_indent=" " * 4, break_long_words=False))


def markdown(thing: Any) -> str:
    """A Google-style docstring as Markdown; the indented formulas are code blocks already."""
    parts = []
    for title, body in _sections(inspect.cleandoc(thing.__doc__)):
        heading = f"**{title}**\n\n" if title else ""
        parts.append(heading + _body(title, body) + "\n")
    return "\n".join(parts)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """The text before the first section under "", then each section without its indentation."""
    title, lines = "", []
    for line in text.splitlines():
        found = SECTION.fullmatch(line)
        if found:
            yield title, "\n".join(lines).strip("\n")
            title, lines = found[1], []
        else:
            lines.append(line[4:] if title else line)
    yield title, "\n".join(lines).strip("\n")


def _body(title: str, body: str) -> str:
    if title == "Example":
        return f"```pycon\n{body}\n```"
    if title not in LISTS:
        return body
    items = re.split(r"\n(?=\S)", body)
    return "\n".join(_item(" ".join(item.split())) for item in items)


def _item(text: str) -> str:
    found = ENTRY.fullmatch(text)
    return f"- `{found[1]}`: {found[2]}" if found else f"- {text}"
