"""Where data files come from: a folder of prepared data, or the public source.

Nothing falls back silently: a folder that was named but lacks the file is an error, and only an
unset ``data.dir`` downloads.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqnorm.lab.data import staging
from seqnorm.lab.durable import of_disk

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def missing(name: str, looked_at: Path | str, remedy: str) -> FileNotFoundError:
    """The error for a file or folder that is not there: what, where it was looked for, remedy."""
    return FileNotFoundError(f"{name} is required, received nothing at {looked_at}. {remedy}")


def damaged(path: Path | str, required: str, received: object, remedy: str = "") -> OSError:
    """The error for a file that cannot be read; raise it ``from`` what the reader raised."""
    what = f"{type(received).__name__}: {received}" if isinstance(received, Exception) else received
    remedy = remedy or "The file is damaged or incomplete: delete it and get it again."
    return OSError(f"{path} must be {required}, received {what}. {remedy}")


def require_folder(directory: str | None) -> None:
    """Refuses a ``data.dir`` that is a file.

    Raises:
        NotADirectoryError: naming it.
    """
    if directory is not None and Path(directory).expanduser().is_file():
        raise NotADirectoryError(
            f"data.dir must name a folder, received data.dir={directory}, which is a file. Name "
            "its folder; files of your own are read by data=files or data=series, with data.train."
        )


def find(directory: str | Path | None, name: str, url: str, file_hash: str) -> Path:
    """Path of the file ``name``: in ``directory``, or downloaded if that is None.

    Files in a folder are not compared with the hash: a zip archive that was packed again holds the
    same data but has other time stamps.

    Args:
        directory: ``data.dir``, or None to download once into Keras's cache.
        name: file name.
        url: where it is published.
        file_hash: sha256 or md5 of the published file.

    Raises:
        FileNotFoundError: if the folder has no such file.
        OSError: if the download fails or yields another file.
    """
    if directory is None:
        return download(name, url, file_hash)
    path = Path(directory).expanduser() / name
    if not path.is_file():
        raise missing(
            name,
            f"{path} (data.dir={str(directory)!r})",
            f"Put the file there (it is published at {url}), or leave data.dir unset (null) to "
            "download it.",
        )
    return path


def find_all(directory: str | Path | None, files: Mapping[str, str]) -> dict[str, Path]:
    """Paths of files that Keras publishes, given by name and hash; see ``find``."""
    return {name: find(directory, name, KERAS_URL + name, files[name]) for name in files}


def download(name: str, url: str, file_hash: str) -> Path:
    """Path of the file in Keras's cache, downloaded if it is not there with this hash.

    Raises:
        OSError: if it cannot be downloaded or is not the published file.
    """
    return fetch(keras_cache() / name, url, file_hash)


def keras_cache() -> Path:
    """The folder in which ``keras.datasets`` keeps its downloads."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def fetch(path: Path, url: str, file_hash: str) -> Path:
    """Downloads ``url`` to ``path`` unless that has this hash already.

    The file appears complete and checked or not at all, also if several processes want it at once
    or one is killed; a file of another content is replaced only by a checked one.

    Raises:
        OSError: if it cannot be downloaded, is not the published file, or cannot be written.
    """
    if path.is_file() and staging.has_hash(path, file_hash):
        return path
    with staging.exclusive(path.parent, path.name) as folder:
        if path.is_file() and staging.has_hash(path, file_hash):
            return path  # another process has just fetched it
        made = folder / path.name
        print(f"Downloading {url}", file=sys.stderr)
        try:
            with urllib.request.urlopen(url, timeout=60.0) as response, made.open("wb") as file:
                shutil.copyfileobj(response, file)
        except (OSError, http.client.HTTPException) as error:
            if of_disk(error):
                raise staging.unwritable(path.parent, error) from error
            raise unreachable(path.name, url, f"{type(error).__name__}: {error}") from error
        if not staging.has_hash(made, file_hash):
            size = f"{made.stat().st_size:,} bytes of another content (hash)"
            raise unreachable(path.name, url, size)
        os.replace(made, path)
    return path


def unreachable(name: str, url: str, received: str, convert: str = "") -> OSError:
    """The error for a failed download, with the way to do without the network.

    Args:
        name: of the file.
        url: where it is published.
        received: what came instead.
        convert: the command that makes prepared data of the file, where it is not read itself.
    """
    then = f", and run {convert} once" if convert else ""
    return OSError(
        f"{name} is required and was to be downloaded from {url}, received {received}. Check the "
        f"network, or get the file elsewhere and set data.dir to the folder that holds it{then}."
    )


def check_reachable(
    name: str, url: str, downloads: Path, convert: str = "", timeout: float = 20.0
) -> None:
    """Asks the server for the head of ``url``, unless TensorFlow Datasets has the file already.

    Without a network its download manager would retry for minutes.

    Args:
        name: of the file.
        url: where it is published.
        downloads: where TFDS keeps its downloads, each with a note of its addresses beside it.
        convert: see `unreachable`.
        timeout: seconds.

    Raises:
        OSError: if the server cannot be reached.
    """
    address = url.partition(":")[2]  # TFDS asks some servers by http
    notes = [note for note in downloads.rglob("*.INFO") if note.with_suffix("").is_file()]
    if any(f'{address}"' in note.read_text(encoding="utf-8") for note in notes):
        return
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout).close()
    except urllib.error.HTTPError:
        return  # it answered; whether it has the file is for the download to find out
    except OSError as error:
        received = f"{type(error).__name__}: {error}"
        raise unreachable(name, url, received, convert) from error


def read_json(path: Path, required: type) -> Any:
    """The content of a JSON file, which must be a ``required`` (list or dict).

    Raises:
        OSError: if it is not JSON or something else than required.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path, "a JSON file", error) from error
    if not isinstance(content, required):
        raise damaged(path, f"a JSON {required.__name__}", f"a {type(content).__name__}")
    return content
