"""What a person reads on the page of a report, as lines of text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
LINES = {*HEADINGS, "p", "li", "pre", "tr", "summary", "a", "button", "text"}
UNREAD = {"title", "style", "script"}


class PageText(HTMLParser):
    """Collects the lines of the page; what is in an attribute is none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._line = ""
        self._unread = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread = tag in UNREAD
        if tag in LINES:
            self._end_line()
            self._line = {**HEADINGS, "li": "- ", "tr": "| "}.get(tag, "")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._line += data

    def handle_endtag(self, tag: str) -> None:
        self._unread = False
        if tag in ("th", "td"):
            self._line += " | "
        if tag in LINES:
            self._end_line()

    def _end_line(self) -> None:
        line = self._line.strip()
        if line:
            self.lines.append(line)
        self._line = ""


def page_text(page: Path) -> str:
    """Headings as "## heading", items as "- item", rows of tables as "| a | b |", in their order.

    Sentences, captions, names in legends and charts, and commands are lines of their own.
    """
    parser = PageText()
    parser.feed(page.read_text(encoding="utf-8"))
    return "\n".join(["", *parser.lines, ""])


def as_row(line: str) -> str:
    """A row of a table that the terminal has aligned, as `page_text` writes it."""
    return " ".join(line.split())
