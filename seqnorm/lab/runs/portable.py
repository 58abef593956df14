"""What a run says of its machine and its settings, in a form that does no harm on another one.

Results are kept, joined and shown to others: they hold no absolute path.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePath
from typing import Any

RUNS_DIR, ANY_FOLDER = "runs_dir", "<folder>"
# Keys of earlier configurations that had one value in every run.
_GONE = ("task",)


def portable_value(key: str, value: Any) -> Any:
    """A config value; an absolute path becomes "runs/<its name>" of runs, "<folder>" of others."""
    if not isinstance(value, str) or not PurePath(value).is_absolute():
        return value
    path = PurePath(value)
    return f"runs/{path.name}" if key == RUNS_DIR else ANY_FOLDER


def portable_name(text: str) -> str:
    """A text as part of a file's name or an anchor: "imdb: a/b" gives "imdb-a-b"."""
    return re.sub(r"[^A-Za-z0-9_.=,+-]+", "-", text)


def portable_config(config: dict[str, Any]) -> dict[str, Any]:
    """A flat config without absolute paths, in the words of today's."""
    return {key: portable_value(key, value) for key, value in config.items() if key not in _GONE}


def _portable_word(word: str) -> str:
    key, equals, value = word.partition("=")
    return f"{key}={portable_value(key, value)}" if equals else word


def portable_environment(environment: dict[str, Any]) -> dict[str, Any]:
    """An environment whose command has no absolute path, and the name of an installed program.

    "/home/a/bin/seqnorm-train runs_dir=/data/first" gives "seqnorm-train runs_dir=runs/first", and
    "compare.py data.dir=/data" gives "seqnorm-compare 'data.dir=<folder>'".
    """
    command = environment.get("command")
    if not command:
        return environment
    program, *words = shlex.split(command) if isinstance(command, str) else map(str, command)
    path = PurePath(program)
    name = f"seqnorm-{path.stem}" if path.suffix == ".py" else path.name
    return {**environment, "command": shlex.join([name, *map(_portable_word, words)])}
