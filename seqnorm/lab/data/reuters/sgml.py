"""The SGML files of the Reuters-21578 archive.

The files are no XML (control characters, no common root, Latin-1), but regular enough for regular
expressions: no element stands inside another of its name.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENT = re.compile(r"<REUTERS ([^>]*)>(.*?)</REUTERS>", re.DOTALL)
ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
CONTROL = re.compile(r"&#\d+;")
# What stands in TEXT beside the body.
HEAD = re.compile(r"<(TITLE|AUTHOR|DATELINE)>.*?</\1>", re.DOTALL)
# ModApte: what TOPICS="YES" marks as read by an indexer, divided by LEWISSPLIT.
PARTS = {("TRAIN", "YES"): "train", ("TEST", "YES"): "test"}


def read_archive(path: Path) -> Iterator[dict[str, Any]]:
    """The fields of each document of ``reuters21578.tar.gz``, files in the order of their names.

    Raises:
        OSError: if it cannot be read (tarfile.ReadError among them).
    """
    with tarfile.open(path, "r:gz") as archive:
        members = [member for member in archive.getmembers() if member.name.endswith(".sgm")]
        for member in sorted(members, key=lambda member: member.name):
            file = archive.extractfile(member)
            if file is not None:
                yield from parse(file.read().decode("latin-1"))


def parse(text: str) -> Iterator[dict[str, Any]]:
    """The fields of each document of one SGML file, as `newswires.Document` has them.

    Examples:
        >>> [document] = parse(
        ...     '<REUTERS TOPICS="YES" LEWISSPLIT="TRAIN" NEWID="7"><TOPICS><D>earn</D></TOPICS>'
        ...     "<TEXT>&#2;<TITLE>AT&amp;T</TITLE><BODY>It rose.&#3;</BODY></TEXT></REUTERS>"
        ... )
        >>> document["part"], document["topics"], document["title"], document["body"]
        ('train', ('earn',), 'AT&T', 'It rose.')
    """
    for attributes, content in DOCUMENT.findall(text):
        given = dict(ATTRIBUTE.findall(attributes))
        inner = _element("TEXT", content) or ""
        body = _element("BODY", inner)
        yield {
            "id": int(given["NEWID"]),
            "part": PARTS.get((given["LEWISSPLIT"], given["TOPICS"]), "unused"),
            "topics": tuple(re.findall(r"<D>(.*?)</D>", _element("TOPICS", content) or "")),
            "title": _plain(_element("TITLE", inner) or "").strip(),
            "body": _plain(HEAD.sub("", inner) if body is None else body),
            "has_body": body is not None,
        }


def _element(name: str, text: str) -> str | None:
    found = re.search(rf"<{name}(?: [^>]*)?>(.*?)</{name}>", text, re.DOTALL)
    return found[1] if found else None


def _plain(text: str) -> str:
    """Text without references; ``&amp;`` last, or ``&amp;lt;`` would become "<"."""
    text = CONTROL.sub("", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
