"""The code of parts that are not seqnorm's own: what a run was made with, and what there is now."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from seqnorm.lab.config.schema import BASES, RunConfig
from seqnorm.lab.registry import PARTS, Part


def own_parts(config: RunConfig) -> Iterator[Part]:
    """The parts of a run that are not ours."""
    for group in BASES:
        part = PARTS.get((group, getattr(config, group).name))
        if part:
            yield part


def digests(config: RunConfig) -> dict[str, str]:
    """Twelve hexadecimal digits of the source of each module that a part of the run comes from."""
    return {part.module: digest for part in own_parts(config) if (digest := _digest(part.module))}


@cache  # the code that runs is the one that was imported
def _digest(module: str) -> str | None:
    path = getattr(sys.modules.get(module), "__file__", None)
    with suppress(OSError):
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12] if path else None
    return None


def warn_of_other_code(made: Iterable[tuple[Path, Mapping[str, Any]]]) -> None:
    """Says on standard error if runs were made with code that has changed since.

    Args:
        made: folders of runs that are to stand, or to be gone on with, and their environments.
    """
    made, others = list(made), dict[str, list[Path]]()
    for folder, environment in made:
        latest = environment.get("resumed", [environment])[-1]
        for module, digest in latest.get("parts", {}).items():
            if _digest(module) not in (digest, None):
                others.setdefault(module, []).append(folder)
    for module, folders in others.items():
        print(
            f"seqnorm: {module} has changed since {len(folders)} of {len(made)} runs were made "
            f"(such as {folders[0]}). Where it computes something else now, delete them.",
            file=sys.stderr,
        )
