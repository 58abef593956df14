"""Reuters-21578, Distribution 1.0: its documents as text, and the subsets that papers compare on.

The documents come from the original archive (22 SGML files) or from ``reuters21578.jsonl.gz``, the
same documents as one JSON object per line with ``id``, ``modapte`` ("train", "test" or "unused"),
``topics``, ``title``, ``body`` and ``has_body``.

Subsets of the ModApte split (Apte et al., 1994):

    modapte   documents with one of the 90 topics that occur in both parts; several topics each
    r52       documents with exactly one topic, if it is among the 52 that then occur in both parts
    r8        of these, the 8 topics that are among the ten most frequent of the collection
    clean     r52 without documents that have no body, and without texts in both parts or under two
              labels
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seqnorm.lab.data import sources, staging
from seqnorm.lab.data.reuters import sgml, topics
from seqnorm.lab.data.tokenizer import Tokenizer

URL = "https://kdd.ics.uci.edu/databases/reuters21578/reuters21578.tar.gz"
ARCHIVE_HASH = "3bae43c9b14e387f76a61b6d82bf98a4fb5d3ef99ef7e7075ff2ccbcf59f9d30"
ARCHIVE, LINES = "reuters21578.tar.gz", "reuters21578.jsonl.gz"
# sha256 of the lines: unlike that of the file, it does not depend on how they were compressed
LINES_CONTENT = "bc114f193f9dd0339524606c932d15bad571ed1e391cf47d44216bae55ddb766"
SUBSETS = {
    "modapte": topics.MODAPTE,
    "r52": topics.R52,
    "r8": topics.R8,
    "clean": topics.R52,
}


@dataclass(frozen=True)
class Document:
    """One newswire.

    Attributes:
        id: number in the collection (NEWID), from 1.
        part: its part of the ModApte split, "train", "test" or "unused".
        topics: its topics, in the order of the archive; possibly none.
        title, body: its text. Without a BODY element, `body` is what else the document says.
        has_body: whether it has a BODY element.
    """

    id: int
    part: str
    topics: tuple[str, ...]
    title: str
    body: str
    has_body: bool

    @property
    def text(self) -> str:
        """Title and body."""
        return f"{self.title}\n{self.body}"


def find(directory: str | Path | None) -> Path:
    """Path of the documents: in ``directory``, or the archive, downloaded once, if that is None.

    Raises:
        FileNotFoundError: if the folder has neither of the two files.
        OSError: if the download fails or yields another file.
    """
    if directory is not None and (path := Path(directory).expanduser() / LINES).is_file():
        return path
    return sources.find(directory, ARCHIVE, URL, ARCHIVE_HASH)


def verify(path: Path) -> None:
    """Compares a file with what was published.

    Raises:
        OSError: if it is another one.
    """
    if path.name.endswith(".jsonl.gz"):
        hasher = hashlib.sha256()
        try:
            with gzip.open(path) as file:
                while block := file.read(1 << 20):
                    hasher.update(block)
        except (OSError, EOFError, zlib.error) as error:
            raise sources.damaged(path, "the documents of Reuters-21578", error) from error
        same = hasher.hexdigest() == LINES_CONTENT
    else:
        same = staging.has_hash(path, ARCHIVE_HASH)
    if not same:
        raise sources.damaged(path, "the published file", "another content (checksum)")


def read(path: Path) -> list[Document]:
    """All documents of the archive or of ``reuters21578.jsonl.gz``, in the order of the file.

    Raises:
        OSError: if the file is damaged or holds something else.
    """
    reader = _read_lines if path.name.endswith(".jsonl.gz") else sgml.read_archive
    try:
        documents = [Document(**fields) for fields in reader(path)]
    except (
        *(OSError, EOFError, zlib.error, tarfile.TarError),
        *(ValueError, KeyError, TypeError, AttributeError),
    ) as error:
        raise sources.damaged(path, "the documents of Reuters-21578", error) from error
    if not documents:
        raise sources.damaged(path, "the documents of Reuters-21578", "no document")
    return documents


def _read_lines(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            yield {
                "id": int(record["id"]),
                "part": record["modapte"],
                "topics": tuple(record["topics"]),
                "title": record["title"] or "",
                "body": record["body"] or "",
                "has_body": bool(record["has_body"]),
            }


def subset(documents: Iterable[Document], name: str) -> dict[str, list[Document]]:
    """The training and the test documents of a subset, in the order given.

    Args:
        documents: the whole collection.
        name: "modapte", "r52", "r8" or "clean".

    Returns:
        Lists under "train" and "test".
    """
    labels = set(SUBSETS[name])
    parts: dict[str, list[Document]] = {"train": [], "test": []}
    for document in documents:
        fitting = labels & set(document.topics)
        if document.part in parts and fitting and (name == "modapte" or len(document.topics) == 1):
            parts[document.part].append(document)
    return _cleaned(parts) if name == "clean" else parts


def _cleaned(parts: dict[str, list[Document]]) -> dict[str, list[Document]]:
    """Drops documents without a body, texts under two labels, and training texts of the test part.

    A text is the words of its body: titles, capitals and line breaks do not make another text.
    """
    tokenizer = Tokenizer()
    labels: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    words: dict[int, tuple[str, ...]] = {}
    for document in (*parts["train"], *parts["test"]):
        if document.has_body:
            words[document.id] = tuple(tokenizer.split(document.body))
            labels[words[document.id]].add(document.topics[0])
    tested = {words.get(document.id) for document in parts["test"]}
    kept = {
        part: [d for d in chosen if d.id in words and len(labels[words[d.id]]) == 1]
        for part, chosen in parts.items()
    }
    kept["train"] = [d for d in kept["train"] if words[d.id] not in tested]
    return kept
