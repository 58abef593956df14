"""What the documentation shows runs, and what it links to exists."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import textwrap
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import seqnorm
from seqnorm import normalizers

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "seqnorm"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
over_pages = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)

BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>not run): (?P<reason>[^\n]+) -->\n)?^```python\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\[[^]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


class Block(NamedTuple):
    code: str
    line: int
    run: bool


def blocks(text: str) -> list[Block]:
    """The Python blocks of a Markdown text; those marked with a reason are not to be run."""
    return [
        Block(found["code"], text.count("\n", 0, found.start("code")), not found["mark"])
        for found in BLOCK.finditer(text)
    ]


def run(block: Block, path: Path, names: dict[str, Any]) -> None:
    """Execute a block in `names`; errors show the line in the page."""
    code = compile("\n" * block.line + block.code, str(path), "exec")
    exec(code, names)


def anchors(text: str) -> set[str]:
    """The fragments that GitHub makes of the headings."""
    return {
        re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-")
        for title in HEADING.findall(text)
    }


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.attempted > 0, f"{name} holds examples, but none in a docstring"
    assert result.failed == 0


@over_pages
def test_python_blocks_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.run:
            run(block, path, names)


def test_blocks_share_names_and_a_marked_one_is_skipped():
    text = textwrap.dedent("""
        ```python
        a = 1
        ```
        <!-- not run: the library is gone -->
        ```python
        import a_library_that_is_gone
        ```
        ```bash
        rm nothing
        ```
        ```python
        b = a + 1
        ```
    """)
    found = blocks(text)
    assert [block.run for block in found] == [True, False, True]
    names: dict[str, Any] = {}
    for block in found:
        if block.run:
            run(block, Path("page.md"), names)
    assert names["b"] == 2


def test_an_error_in_a_block_names_the_line_of_the_page():
    (block,) = blocks("# Title\n\n```python\na = 1\nraise KeyError\n```\n")
    with pytest.raises(KeyError) as caught:
        run(block, Path("page.md"), {})
    assert caught.traceback[-1].lineno == 4  # counted from 0


@over_pages
def test_relative_links_exist(path):
    text = path.read_text(encoding="utf-8")
    missing = []
    for target in LINK.findall(text):
        if re.match(r"\w+:", target):
            continue
        file, _, fragment = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        known = not fragment or (place.exists() and fragment in anchors(place.read_text("utf-8")))
        if not (place.exists() and known):
            missing.append(target)
    assert not missing


# They compute nothing of their own: the loop around any cell, and a choice of steps.
WITHOUT_EQUATION = {"NormRNN", "MaskedPooling"}
PUBLIC = [t for name in seqnorm.__all__ if inspect.isclass(t := getattr(seqnorm, name))]
CONCRETE = [
    thing
    for name in normalizers.__all__
    if inspect.isclass(thing := getattr(normalizers, name))
    and issubclass(thing, normalizers.Normalizer)
    and "call" in vars(thing)  # the others are bases of one's own
    and thing is not normalizers.Normalizer
]


@pytest.mark.parametrize("thing", PUBLIC + CONCRETE, ids=lambda thing: thing.__name__)
def test_public_docstrings_say_what_they_must(thing):
    text = vars(thing)["__doc__"]
    assert re.match(r"\S.*\n\n", text), "one line first"
    for section in ("Args", "Masking", "Examples"):
        assert f"\n    {section}:\n" in text, section
    equation = re.search(r"\n\n {8}\S.* = |, y = x\.|equations are those of `\w+`", text)
    assert equation or thing.__name__ in WITHOUT_EQUATION, "an equation, or where it is"


@pytest.mark.parametrize("thing", PUBLIC + CONCRETE, ids=lambda thing: thing.__name__)
def test_docstrings_name_every_argument(thing):
    # Those of its own constructor: `__signature__` spells out what it only hands on as well.
    own = partial(thing.__init__, None) if hasattr(thing, "__signature__") else thing
    parameters = inspect.signature(own).parameters.values()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    text = vars(thing)["__doc__"] + "".join(base.__doc__ or "" for base in thing.__mro__[1:4])
    assert not [name for name in named if not re.search(rf"\b{name}\b", text)]


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").is_file()
