"""What a run says of its machine and its settings, in a form that does no harm on another one.

Results are kept, joined and shown to others: they hold no absolute path.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import PurePath
from typing import Any

RUNS_DIR, ANY_FOLDER = "runs_dir", "<folder>"
# Keys that may name files, one or several: runs on different ones must not pass for the same.
FILE_KEYS = ("data.train", "data.validation", "data.test")
COMMANDS = ("train", "compare", "report", "data", "predict", "export", "check", "bench")
# Where the files are that Python runs in place of a command: a script, or `python -m`.
_OURS = ("", "scripts", "commands")


def portable_value(key: str, value: Any) -> Any:
    """A config value without absolute paths.

    One becomes "runs/<its name>" of runs, "<folder-1f3c>/<its name>" of files of data, where four
    digits tell folders apart, and "<folder>" of others.
    """
    if key in FILE_KEYS:
        several = isinstance(value, list | tuple)
        return list(map(_portable_file, value)) if several else _portable_file(value)
    if not isinstance(value, str) or not PurePath(value).is_absolute():
        return value
    path = PurePath(value)
    return f"runs/{path.name}" if key == RUNS_DIR else ANY_FOLDER


def _portable_file(value: Any) -> Any:
    """A path, or a list of paths as it is typed: "[/data/a.csv,/data/b.csv]"."""
    if not isinstance(value, str):
        return value
    return "".join(map(_without_folder, re.split(r"""([][,'"])""", value)))


def _without_folder(text: str) -> str:
    path = PurePath(text)
    if not path.is_absolute():
        return text
    digits = hashlib.sha256(str(path.parent).encode()).hexdigest()[:4]
    return f"{ANY_FOLDER[:-1]}-{digits}>/{path.name}"


def portable_name(text: str) -> str:
    """A text as part of a file's name or an anchor: "imdb: a/b" gives "imdb-a-b"."""
    return re.sub(r"[^A-Za-z0-9_.=,+-]+", "-", text)


def portable_config(config: dict[str, Any]) -> dict[str, Any]:
    """A flat config without absolute paths."""
    return {key: portable_value(key, value) for key, value in config.items()}


def _portable_word(word: str) -> str:
    key, equals, value = word.partition("=")
    return f"{key}={portable_value(key, value)}" if equals else word


def _portable_program(program: str) -> list[str]:
    """A command if there is one that does the same; else Python and the script."""
    path = PurePath(program)
    if path.suffix != ".py":
        return [path.name]
    ours = path.parent.name in _OURS
    if ours and path.stem in COMMANDS:
        return [f"seqnorm-{path.stem}"]
    if path.is_absolute():
        path = PurePath("scripts" if ours else ANY_FOLDER, path.name)
    return ["python", path.as_posix()]


def portable_environment(environment: dict[str, Any]) -> dict[str, Any]:
    """An environment whose commands have no absolute path, and a program that exists elsewhere.

    "/home/a/bin/seqnorm-train runs_dir=/data/first" gives "seqnorm-train runs_dir=runs/first",
    "compare.py data.dir=/data" gives "seqnorm-compare 'data.dir=<folder>'", and a script without
    such a command keeps its name: "/home/a/scripts/demo.py" gives "python scripts/demo.py". A run
    that was stopped has an environment for each time it went on.
    """
    found = dict(environment)
    if command := found.get("command"):
        program, *words = shlex.split(command) if isinstance(command, str) else map(str, command)
        found["command"] = shlex.join([*_portable_program(program), *map(_portable_word, words)])
    if "resumed" in found:
        found["resumed"] = [*map(portable_environment, found["resumed"])]
    return found
