"""IMDB reviews, positive or negative: text from TensorFlow Datasets, a vocabulary of our own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqnorm.lab.console import track
from seqnorm.lab.data import sources, staging
from seqnorm.lab.data.kept import Source, files_in
from seqnorm.lab.data.spec import Dataset, Sequences
from seqnorm.lab.data.texts import TextReader, labelled
from seqnorm.lab.durable import of_disk
from seqnorm.lab.quiet import import_quietly

if TYPE_CHECKING:
    from seqnorm.lab.config.data import TextConfig

NAME, CONFIG, VERSION = "imdb_reviews", "plain_text", "1.0.0"
ARCHIVE = "aclImdb_v1.tar.gz"
URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
ARCHIVE_HASH = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
# part -> sha256 over the sorted sha256 of text and label of its reviews
CONTENT = {
    "train": "e8b8233d62797d1166eb9daf695a14acd4d1548cbf23c9021ef8cb6f50c2f7a3",
    "test": "79f8870d274e16d2075f33490ca618e98cf064ffaee3af8557387efc3413ac37",
}
LABEL_NAMES = ("negative", "positive")
CONVERT = "seqnorm-data prepare data=imdb data.dir=DIR"
# Where TensorFlow Datasets keeps its data inside data.dir.
SUBFOLDER = "tfds"
PIECE = 500  # reviews read at a time
# What TFDS raises over files that are missing, of another version, or damaged.
_UNREADABLE = (AssertionError, KeyError, OSError, UnicodeDecodeError, ValueError)


def load(config: TextConfig, seed: int) -> Dataset:
    """Reads IMDB; the seed decides which training reviews are held out, and so the vocabulary.

    Raises:
        OSError: if the data is missing, cannot be downloaded, or is damaged.
    """
    builder = cache(lambda: prepare(config.dir))
    reader = TextReader(config, Source(NAME, files_in(_folder(config.dir, builder)), {}))
    train, test = (labelled(read(builder, part, reader)) for part in ("train", "test"))
    return reader.dataset(seed, train, test, LABEL_NAMES)


def _folder(directory: str | None, builder: Callable[[], Any]) -> Path:
    """Where the prepared reviews are: without TFDS, if that need not download them."""
    if directory is None:
        return Path(builder().data_dir)
    return locate(directory) / NAME / CONFIG / VERSION


def prepare(directory: str | None) -> Any:
    """The TFDS builder of prepared data: in ``directory``, or downloaded and prepared if None.

    Raises:
        FileNotFoundError: if the folder has no prepared reviews.
        OSError: if the download fails or the folder's description is damaged.
    """
    folder = None if directory is None else locate(directory)
    import_quietly("tensorflow")
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    if folder is None:
        return download(tfds)
    try:
        # A builder that reads a folder never looks for a network.
        return tfds.builder(NAME, data_dir=folder)
    except (ParseError, ValueError, KeyError, OSError) as error:
        raise sources.damaged(folder / NAME, "a prepared TFDS data set", error) from error


def places(directory: str | Path) -> tuple[Path, Path]:
    """Where TFDS's data is looked for: below a folder of all data, or in TFDS's own folder."""
    folder = Path(directory).expanduser()
    return folder / SUBFOLDER, folder


def locate(directory: str) -> Path:
    """The folder of TFDS's data, given as ``data.dir`` or inside of that.

    Raises:
        FileNotFoundError: if there are no prepared reviews, or only those of another version.
    """
    for folder in places(directory):
        if is_prepared(folder):
            return folder
    place = places(directory)[0] / NAME
    others = [
        f"version {path.parent.name} at {path.parent}"
        for folder in places(directory)
        for path in sorted((folder / NAME / CONFIG).glob("[0-9]*/dataset_info.json"))
    ]
    remedy = (
        f"Run {CONVERT.replace('DIR', str(directory))}, which makes it of an {ARCHIVE} in that "
        "folder or downloads it, or leave data.dir unset (null) to download it."
    )
    if others:
        raise FileNotFoundError(
            f"{NAME} is read in version {VERSION}, received {', '.join(others)}. {remedy}"
        )
    raise sources.missing(
        f"{NAME} as prepared by TensorFlow Datasets",
        f"{place} (data.dir={str(directory)!r})",
        remedy,
    )


def is_prepared(folder: Path) -> bool:
    """Whether TFDS has put the reviews, whole or damaged since, into a folder of its data.

    As plain text: other configs of the data set hold ids of word pieces.
    """
    return (folder / NAME / CONFIG / VERSION / "dataset_info.json").is_file()


def download(tfds: Any, folder: Path | None = None, archive: Path | None = None) -> Any:
    """The builder of reviews prepared in a folder, after preparing them if they are not there yet.

    Other processes that want the same wait; reviews appear there complete or not at all.

    Args:
        tfds: the module.
        folder: where TFDS keeps its data; None for TFDS's own folder.
        archive: an aclImdb_v1.tar.gz; None downloads it.

    Raises:
        OSError: if the download fails, the archive is another one, or the folder is not writable.
    """
    import_quietly("tensorflow")
    builder = tfds.builder(NAME, data_dir=folder)
    if builder.is_prepared():
        return builder
    versions = Path(builder.data_dir).parent
    root = versions.parents[1]
    if archive is None:
        sources.check_reachable(ARCHIVE, URL, root / "downloads", CONVERT)
    elif not staging.has_hash(archive, ARCHIVE_HASH):
        raise sources.damaged(archive, "the published archive", "another content (checksum)")
    settings = tfds.download.DownloadConfig(manual_dir=archive.parent if archive else None)
    with staging.exclusive(root, NAME):
        builder = tfds.builder(NAME, data_dir=folder)  # anew: another process may have prepared it
        if folder is not None:  # TFDS's own folder is also that of programs that take no lock
            staging.sweep_incomplete(versions)
        try:
            builder.download_and_prepare(download_config=settings)
        except Exception as error:
            # TFDS reports a wrong checksum with a class of its own that it does not export.
            known = isinstance(error, OSError | tfds.download.DownloadError)
            if not known and "wrong checksum" not in str(error):
                raise
            if of_disk(error):
                raise staging.unwritable(root, error) from error
            received = f"{type(error).__name__}: {error}"
            raise sources.unreachable(ARCHIVE, URL, received, CONVERT) from error
    return builder


def verify(builder: Any) -> None:
    """Compares prepared reviews with those that were published, whatever their order.

    Raises:
        OSError: if files are missing, damaged or hold other reviews.
    """
    import tensorflow as tf

    for part, content in CONTENT.items():
        labels: list[int] = []
        try:
            hashes = [hashlib.sha256(text.encode()) for text in texts(builder, part, labels)]
        except (*_UNREADABLE, tf.errors.OpError) as error:
            raise _incomplete(builder, part, error) from error
        for hasher, label in zip(hashes, labels, strict=True):
            hasher.update(bytes([label]))
        together = b"".join(sorted(hasher.digest() for hasher in hashes))
        if hashlib.sha256(together).hexdigest() != content:
            raise _incomplete(builder, part, f"{len(labels)} reviews of another content (checksum)")


def _incomplete(builder: Any, part: str, received: object) -> OSError:
    required = f"a complete TFDS data set (part {part!r})"
    return sources.damaged(builder.data_dir, required, received)


def read(builder: Callable[[], Any], part: str, reader: TextReader) -> tuple[Sequences, list[int]]:
    """Provisional word numbers and labels of one part.

    Raises:
        OSError: if files of that part are missing, damaged or incomplete.
    """
    if reader.known:
        return reader.known.parts[part]
    import tensorflow as tf

    found = builder()
    try:
        rows, labels = reader.read_once(part, partial(texts, found, part))
        expected = found.info.splits[part].num_examples
    except (*_UNREADABLE, tf.errors.OpError) as error:
        raise _incomplete(found, part, error) from error
    if len(labels) != expected:
        raise _incomplete(found, part, f"{len(labels)} of {expected} examples")
    return rows, labels


def texts(builder: Any, part: str, labels: list[int]) -> Iterator[str]:
    """Yields the reviews in the order of the files and appends their labels to ``labels``.

    One pass in pieces: the text of a whole part is never in memory.
    """
    import tensorflow_datasets as tfds

    total = builder.info.splits[part].num_examples
    pieces = tfds.as_numpy(builder.as_dataset(split=part, batch_size=PIECE))
    for piece in track(pieces, f"Reading IMDB, {part}", -(-total // PIECE)):
        labels.extend(piece["label"].tolist())
        for text in piece["text"]:
            yield text.decode("utf-8")
