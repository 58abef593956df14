"""Prepared data sets of TensorFlow Datasets: where one is, or how it gets there."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from seqnorm.lab.data import sources, staging
from seqnorm.lab.data.imdb import places
from seqnorm.lab.durable import of_disk
from seqnorm.lab.quiet import import_quietly

_INFO = "dataset_info.json"


def find(name: str, directory: str | None) -> Path | None:
    """The folder of the prepared data set, of its newest version; None if there is none.

    Args:
        name: as TensorFlow Datasets takes it: "glue", "glue/sst2", "glue/sst2:2.0.0".
        directory: ``data.dir``; None looks into TensorFlow Datasets' own folder.

    Raises:
        ValueError: if there are several configs of it and the name says none.
    """
    plain, _, version = name.partition(":")
    roots = (_own_folder(),) if directory is None else places(directory)
    for root in roots:
        infos = [path.parent for path in (root / plain).rglob(_INFO)]
        infos = [path for path in infos if version in ("", path.name)]
        configs = sorted({path.parent.relative_to(root).as_posix() for path in infos})
        if len(configs) > 1:
            raise ValueError(
                "data.builder must say which config of a data set is meant, received "
                f"data.builder={name}. Name one of {', '.join(configs)}."
            )
        if infos:
            return max(infos, key=lambda path: _numbers(path.name))
    return None


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


def _own_folder() -> Path:
    return Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()


def require(name: str, directory: str | None) -> None:
    """Refuses a folder of data that was named and has no such data set.

    Raises:
        FileNotFoundError: saying what it has.
    """
    if directory is not None and find(name, directory) is None:
        raise _missing(name, directory)


def _missing(name: str, directory: str) -> FileNotFoundError:
    there = sorted(
        {
            path.name
            for root in places(directory)
            for path in root.glob("*")
            if next(path.rglob(_INFO), None)
        }
        - {"tfds"}
    )
    return sources.missing(
        f"{name} as prepared by TensorFlow Datasets",
        f"{places(directory)[0] / name} (data.dir={directory!r})",
        f"That folder has {', '.join(there) or 'no data set'}. Run seqnorm-data prepare data=tfds "
        f"data.builder={name} data.dir={directory}, which downloads it, or leave data.dir unset "
        "(null) to download it into TensorFlow Datasets' own folder.",
    )


def prepared(name: str, directory: str | None, download: bool) -> Any:
    """The builder of a data set; what is prepared is read without a network and without its code.

    Args:
        name: see `find`.
        directory: likewise.
        download: whether to download and prepare what is not there.

    Raises:
        FileNotFoundError: if it is not there and is not to be downloaded.
        ValueError: if TensorFlow Datasets has no data set of that name.
        OSError: if the download fails, or what is there is damaged.
    """
    found = find(name, directory)
    if found is None and directory is not None and not download:
        raise _missing(name, directory)
    import_quietly("tensorflow")
    import tensorflow_datasets as tfds

    if found is None:
        return _downloaded(tfds, name, _own_folder() if directory is None else places(directory)[0])
    try:
        return tfds.builder_from_directory(found)
    except Exception as error:  # of protobuf, of JSON, of missing files, of classes that are gone
        raise sources.damaged(found, "a prepared data set of TFDS", error) from error


def _downloaded(tfds: Any, name: str, root: Path) -> Any:
    try:
        builder = tfds.builder(name, data_dir=root)
    except tfds.core.DatasetNotFoundError as error:
        near = get_close_matches(name.split("/")[0], tfds.list_builders(), 3)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            "data.builder must name a data set of TensorFlow Datasets or one that is prepared in "
            f"data.dir, received data.builder={name}.{meant}"
        ) from error
    except ValueError as error:  # a config or a version that it does not have
        first = str(error).strip().splitlines()[0]
        raise ValueError(
            f"data.builder must name a data set and one of its configs, received "
            f"data.builder={name}: {first}"
        ) from error
    settings = tfds.download.DownloadConfig(try_download_gcs=False)  # which takes minutes to fail
    plain = name.split("/")[0].split(":")[0]
    with staging.nothing_left(root), staging.exclusive(root, plain):
        try:
            builder.download_and_prepare(download_config=settings)
        except Exception as error:  # of each builder's own making
            if of_disk(error):
                raise staging.unwritable(root, error) from error
            received = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
            raise OSError(
                f"{name} was to be downloaded and prepared by TensorFlow Datasets in {root}, "
                f"received {received}. {_advice(error)}, or prepare it elsewhere and set "
                "data.dir to the folder that holds it."
            ) from error
    return builder


def _advice(error: Exception) -> str:
    """What to do about a data set that could not be made."""
    if "Checksum" in type(error).__name__:
        return "Put the archive that its authors publish in that folder"
    return "Check the network"
