"""Getting a data set once: downloaded or converted, compared with what was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqnorm.lab.config.data import FilesConfig, OwnSeriesConfig, TFDSConfig
from seqnorm.lab.data import imdb, imdb_ids, mnist, mnist_series, sources, staging
from seqnorm.lab.data.own import builders
from seqnorm.lab.data.own.paths import locate
from seqnorm.lab.data.reuters import ids as reuters
from seqnorm.lab.data.reuters import newswires
from seqnorm.lab.data.reuters.text import SUBSETS

if TYPE_CHECKING:
    from seqnorm.lab.config.data import DataConfig

OWN = ("files", "series", "tfds")  # data of the user's, which nobody has published under a checksum


@dataclass(frozen=True)
class Prepared:
    """A file or folder that was found or made, and was compared with what was published.

    Attributes:
        path: where it is.
        size: its bytes.
        state: that it is as published, or how else it is known to be right.
    """

    path: Path
    size: int
    state: str = "as published"


Verify = Callable[[Path], None]
_STATES = {newswires.LINES: f"the documents of {newswires.ARCHIVE}, in a format of seqnorm's own"}


def prepare(config: DataConfig) -> list[Prepared]:
    """Makes sure that ``config.name`` can be loaded from ``config.dir``.

    What is there is compared with what was published and left as it is; what is not is downloaded
    into ``config.dir``, or where TensorFlow Datasets and Keras keep their downloads if that is
    None. A thing appears there complete or not at all; a second process that wants it waits.

    Returns:
        What the data set consists of; nothing for generated data.

    Raises:
        ValueError: if the data set is not one that can be prepared.
        OSError: if something is damaged, of another content, cannot be downloaded or written.
    """
    if config.name not in (*PREPARERS, *OWN):
        names = ", ".join((*PREPARERS, *OWN))
        raise ValueError(f"prepare needs one of {names}, received data={config.name}. Choose one.")
    sources.require_folder(config.dir)
    if isinstance(config, TFDSConfig):
        builder = builders.prepared(config.builder, config.dir, download=True)
        path = Path(builder.data_dir)
        return [Prepared(path, _size(path), "as TensorFlow Datasets prepared it")]
    if isinstance(config, FilesConfig | OwnSeriesConfig):
        files = [path for part in locate(config).values() for path in part]
        return [Prepared(path, _size(path), "to be read as it is") for path in files]
    directory = None if config.dir is None else Path(config.dir).expanduser()
    paths = PREPARERS[config.name](directory)
    return [Prepared(path, _size(path), _STATES.get(path.name, "as published")) for path in paths]


def _keras_files(
    directory: Path | None, files: Mapping[str, str], verify: Mapping[str, Verify]
) -> list[Path]:
    return [
        _one_file(directory, name, sources.KERAS_URL + name, files[name], verify.get(name))
        for name in files
    ]


def _one_file(
    directory: Path | None, name: str, url: str, file_hash: str, verify: Verify | None
) -> Path:
    if directory is None:
        return sources.download(name, url, file_hash)
    path = directory / name
    if not path.exists():
        return sources.fetch(path, url, file_hash)
    if verify is not None:
        verify(path)
    elif not staging.has_hash(path, file_hash):
        raise sources.damaged(path, "the published file", "another content (checksum)")
    return path


def _newswires(directory: Path | None) -> list[Path]:
    if directory is not None and (lines := directory / newswires.LINES).is_file():
        newswires.verify(lines)
        return [lines]
    url, file_hash = newswires.URL, newswires.ARCHIVE_HASH
    return [_one_file(directory, newswires.ARCHIVE, url, file_hash, newswires.verify)]


def _imdb(directory: Path | None) -> list[Path]:
    import tensorflow_datasets as tfds

    folder = archive = None
    if directory is not None:
        folder = directory / imdb.SUBFOLDER
        if (directory / imdb.ARCHIVE).is_file():
            archive = directory / imdb.ARCHIVE
    found = directory is not None and any(map(imdb.is_prepared, imdb.places(directory)))
    builder = imdb.prepare(str(directory)) if found else imdb.download(tfds, folder, archive)
    imdb.verify(builder)
    return [Path(builder.data_dir)]


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


# registered name -> what makes its files or folders and returns their paths
PREPARERS: dict[str, Callable[[Path | None], list[Path]]] = {
    "imdb": _imdb,
    "imdb_ids": partial(
        _keras_files, files=imdb_ids.FILES, verify={imdb_ids.ROWS: imdb_ids.verify}
    ),
    **dict.fromkeys(
        ("mnist", *mnist_series.NAMES),
        partial(
            _keras_files, files={mnist.FILE: mnist.FILE_HASH}, verify={mnist.FILE: mnist.verify}
        ),
    ),
    "reuters": partial(_keras_files, files=reuters.FILES, verify={reuters.ROWS: reuters.verify}),
    **dict.fromkeys(SUBSETS, _newswires),
    **dict.fromkeys(("synthetic", "adding", "copy_memory"), lambda directory: []),
}
