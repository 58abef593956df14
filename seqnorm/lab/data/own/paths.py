"""Which files a key of the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob
from pathlib import Path

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
ENDINGS = ".csv, .tsv, .jsonl (.ndjson, .json) or .parquet, each also with .gz"


def format_of(path: Path) -> str | None:
    """The format that a file's name says, a value of `FORMATS`; None if it says none."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


def is_gzipped(path: Path) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.suffix.lower() == ".gz"


def find(key: str, names: str | Sequence[str]) -> list[Path]:
    """The files that a key names, each once; those of a pattern in the order of their names.

    Args:
        key: of the configuration, such as "data.train".
        names: a name, several, or patterns with ``*`` (``**`` for folders of any depth), relative
            to the current folder.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is named twice, is a folder, or has a name of no known format.
    """
    found: list[Path] = []
    for name in [names] if isinstance(names, str) else names:
        for path in _matches(key, name):
            if any(path.samefile(other) for other in found):
                raise ValueError(
                    f"{key} needs each file once, received {path} twice. Its rows would count "
                    "twice: name it once."
                )
            found.append(path)
    return found


def _matches(key: str, name: str) -> list[Path]:
    path = Path(name).expanduser()
    if "*" in name and not path.exists():
        paths = [Path(match) for match in sorted(glob(str(path), recursive=True))]
        paths = [match for match in paths if match.is_file() and format_of(match)]
        if not paths:
            raise FileNotFoundError(
                f"{key} needs files that match its pattern, received {key}={name}, which none in "
                f"{_folder(path)} matches with the ending {ENDINGS}. Correct the pattern; in the "
                "shell it stands in quotes."
            )
        return paths
    if path.is_dir():
        raise ValueError(
            f"{key} needs files, received the folder {key}={name}. Name its files, as in "
            f"'{key}={name.rstrip('/')}/*.csv'."
        )
    if not path.exists():
        near = sorted(other.name for other in path.parent.glob("*") if format_of(other))
        listed = f" That folder has {', '.join(near[:8])}." if near else ""
        raise FileNotFoundError(
            f"{key} needs a file that exists, received {key}={name}, and {_folder(path)} has no "
            f"{path.name}.{listed} Correct the name; it is looked for from the current folder."
        )
    if format_of(path) is None:
        raise ValueError(
            f"{key} needs files whose name says what they are, {ENDINGS}; received {key}={name}. "
            "Rename or convert it."
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
