"""What a run ran on: versions, machine, state of the code."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import seqnorm
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.runs.code import digests
from seqnorm.machine import processor_name, threads

# Everything that could change a number, and what tracks it.
PACKAGES = (
    "seqnorm",
    "keras",
    "tensorflow",
    "tensorflow-datasets",
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "hydra-core",
    "omegaconf",
    "wandb",
)


def environment(config: RunConfig) -> dict[str, Any]:
    """The content of environment.json of a run; packages that are not installed are left out."""
    parts = digests(config)
    return {
        "python": platform.python_version(),
        "packages": _versions(),
        "git": _git_state(Path(seqnorm.__file__).resolve().parent.parent),
        "machine": _machine(),
        "command": shlex.join(sys.argv),
        **({"parts": parts} if parts else {}),
    }


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


@cache  # the code that runs is the one that was imported, whatever is checked out later
def _git_state(folder: Path) -> dict[str, Any] | None:
    """Commit of the checkout at `folder`, and whether files differ from it; None outside of git."""
    if not (folder / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):  # git is missing, or there is no commit yet
        return None


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "cpu": processor_name(),
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "threads": threads(),  # of the kernels; another number adds up in another order
    }


def _memory_gb() -> float | None:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not POSIX
        return None
    return round(total / 2**30, 1)
