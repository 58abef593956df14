"""Reuters newswires as text, one topic each: r8, r52 and a clean r52, vocabulary of our own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

from seqnorm.lab.console import track
from seqnorm.lab.data.kept import Source
from seqnorm.lab.data.reuters import newswires
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.data.texts import TextReader, labelled

if TYPE_CHECKING:
    from seqnorm.lab.config.data import TextConfig

# registered name -> subset of `seqnorm.lab.data.reuters.newswires`
SUBSETS = {"reuters_r8": "r8", "reuters_r52": "r52", "reuters_clean": "clean"}


def load(config: TextConfig, seed: int) -> Dataset:
    """Reads title and body of the newswires; the vocabulary is learnt on the training part.

    The seed decides which training newswires are held out, and so the vocabulary.

    Raises:
        OSError: if the file is missing, cannot be downloaded, or is damaged.
    """
    name = SUBSETS[config.name]
    names = newswires.SUBSETS[name]
    number = {topic: label for label, topic in enumerate(names)}
    path = newswires.find(config.dir)
    documents = cache(lambda: newswires.subset(newswires.read(path), name))

    def texts(part: str, labels: list[int]) -> Iterator[str]:
        found = documents()[part]
        for document in track(found, f"Reading Reuters, {part}", len(found)):
            labels.append(number[document.topics[0]])
            yield document.text

    reader = TextReader(config, Source(config.name, (path,), {}))
    train, test = (
        labelled(reader.read_once(part, partial(texts, part))) for part in ("train", "test")
    )
    return reader.dataset(seed, train, test, names)
