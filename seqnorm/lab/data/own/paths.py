"""Which files a key of the configuration names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from seqnorm.lab.config.data import FilesConfig, OwnSeriesConfig


class Formats(NamedTuple):
    """What a kind of data may be kept in.

    Attributes:
        endings: of names of files, in small letters, and the format that each says.
        in_words: the endings, for messages.
        pattern: of names, as an example.
    """

    endings: Mapping[str, str]
    in_words: str
    pattern: str

    def of(self, path: Path) -> str | None:
        """The format that a file's name says; None if it says none."""
        suffixes = [suffix.lower() for suffix in path.suffixes]
        last = ("".join(suffixes[-number:]) for number in (2, 1))
        return next((self.endings[each] for each in last if each in self.endings), None)


_TEXTS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
TEXTS = Formats(
    _TEXTS | {f"{ending}.gz": name for ending, name in _TEXTS.items()},
    ".csv, .tsv, .jsonl (.ndjson, .json) or .parquet, each also with .gz",
    "*.csv",
)
SERIES = Formats(
    {".npz": "npz", ".ts": "ts", ".ts.gz": "ts", ".parquet": "parquet"},
    ".npz, .ts (also .ts.gz) or .parquet",
    "*.npz",
)
OF_DATA = {"files": TEXTS, "series": SERIES}  # by the name of the data set


def is_gzipped(path: Path) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.suffix.lower() == ".gz"


def locate(config: FilesConfig | OwnSeriesConfig) -> dict[str, list[Path]]:
    """The files of each part that is named, by key.

    Raises:
        FileNotFoundError: if one is missing.
        ValueError: if one is of no known format, or stands in two parts; if `config.dir` is set.
    """
    if config.dir is not None:
        raise ValueError(
            f"data={config.name} reads what data.train, data.test and data.validation name, "
            f"received data.dir={config.dir}. Leave it out, and name the files with their folder."
        )
    named = {"train": config.train, "validation": config.validation, "test": config.test}
    found = {
        f"data.{part}": find(f"data.{part}", names, OF_DATA[config.name])
        for part, names in named.items()
        if names is not None
    }
    refuse_shared(found)
    return found


def find(key: str, names: str | Sequence[str], formats: Formats) -> list[Path]:
    """The files that a key names, each once; those of a pattern in the order of their names.

    Args:
        key: of the configuration, such as "data.train".
        names: a name, several, or patterns with ``*`` (``**`` for folders of any depth), relative
            to the current folder.
        formats: which files there may be.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is named twice, is a folder, or has a name of no known format.
    """
    found: list[Path] = []
    for name in [names] if isinstance(names, str) else names:
        for path in _matches(key, name, formats):
            if any(path.samefile(other) for other in found):
                raise ValueError(
                    f"{key} needs each file once, received {path} twice. Its rows would count "
                    "twice: name it once."
                )
            found.append(path)
    return found


def _matches(key: str, name: str, formats: Formats) -> list[Path]:
    path = Path(name).expanduser()
    if "*" in name and not path.exists():
        paths = [Path(match) for match in sorted(glob(str(path), recursive=True))]
        paths = [match for match in paths if match.is_file() and formats.of(match)]
        if not paths:
            raise FileNotFoundError(
                f"{key} needs files that match its pattern, received {key}={name}, which none in "
                f"{_folder(path)} matches with the ending {formats.in_words}. Correct the "
                "pattern; in the shell it stands in quotes."
            )
        return paths
    if path.is_dir():
        raise ValueError(
            f"{key} needs files, received the folder {key}={name}. Name its files, as in "
            f"'{key}={name.rstrip('/')}/{formats.pattern}'."
        )
    if path.is_symlink() and not path.exists():
        raise FileNotFoundError(
            f"{key} needs a file that exists, received {key}={name}, a link to "
            f"{path.readlink()}, which leads nowhere. Correct the link."
        )
    if not path.exists():
        near = sorted(other.name for other in path.parent.glob("*") if formats.of(other))
        listed = f" That folder has {', '.join(near[:8])}." if near else ""
        raise FileNotFoundError(
            f"{key} needs a file that exists, received {key}={name}, and {_folder(path)} has no "
            f"{path.name}.{listed} Correct the name; it is looked for from the current folder."
        )
    if formats.of(path) is None:
        raise ValueError(
            f"{key} needs files whose name says what they are, {formats.in_words}; received "
            f"{key}={name}. Rename or convert it."
        )
    return [path]


def _folder(path: Path) -> str:
    return "the current folder" if path.parent == Path() else str(path.parent)


def refuse_shared(parts: dict[str, list[Path]]) -> None:
    """Refuses a file that two keys name: its rows would be trained on and tested with.

    Raises:
        ValueError: naming both keys.
    """
    keys = list(parts)
    for number, key in enumerate(keys):
        for other in keys[number + 1 :]:
            for path in parts[other]:
                if any(path.samefile(mine) for mine in parts[key]):
                    raise ValueError(
                        f"{key} and {other} need different files, received {path} in both. Leave "
                        f"{other} out, and a share of {key} is held out for it."
                    )
