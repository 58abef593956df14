"""The source tree: what may import what, and that no file of it is ignored."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The rooms from the ground up: each may import those before it, also inside functions and for types
# alone. A Keras programmer's model needs the library and nothing of the lab.
LIBRARY = (
    "registration",
    "machine",
    "spelling",
    "signatures",
    "ops",
    "kernels",
    "normalizers",
    "cells",
    "layers",
    "migrate",
    "checks",
    "testing",
)
LAB = (
    "errors",
    "durable",
    "flat",
    "console",
    "quiet",
    "signals",
    "lifeline",
    "config",
    "data",
    "tasks",
    "models",
    "registry",
    "tracking",
    "runs",
    "training",
    "trained",
    "export",
    "report",
    "why",
    "cards",
    "bench",
    "engine",
    "comparison",
    "multirun",
    "commands",
)
ROOMS = ("seqnorm", *LIBRARY, "lab", *(f"lab.{room}" for room in LAB))
# What the lab brings and the library must not ask for.
OF_THE_LAB = {
    "hydra", "omegaconf", "sklearn", "scipy", "matplotlib", "wandb", "yaml", "filelock", "joblib",
    "distributed",
}  # fmt: skip


def modules() -> dict[str, Path]:
    """Every file of the package by its dotted name."""
    found = {}
    for path in sorted((ROOT / "seqnorm").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(path: Path) -> set[str]:
    """Modules that a file imports anywhere, also inside functions and for types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found


def room(module: str) -> str:
    """The room that a module stands in: "layers", "lab.report"."""
    parts = module.split(".")[1:]
    return ".".join(parts[: 2 if parts[:1] == ["lab"] else 1]) or "seqnorm"


IMPORTS = {name: imported(path) & MODULES.keys() for name, path in MODULES.items()}


@pytest.mark.parametrize("name", ROOMS)
def test_imports_go_down_only(name: str) -> None:
    inside = [module for module in MODULES if room(module) == name]
    assert inside
    # A face names what it hands on, which nothing inside needs it for.
    faces = {"seqnorm": {"seqnorm", *LIBRARY}, "lab": {"lab", *(f"lab.{room}" for room in LAB)}}
    below = faces.get(name) or {*ROOMS[: ROOMS.index(name) + 1]}
    upward = {
        (module, other)
        for module in inside
        for other in IMPORTS[module]
        if room(other) not in below
    }
    assert not upward


def test_every_module_stands_in_a_room() -> None:
    assert {room(module) for module in MODULES} == set(ROOMS)


def test_no_files_import_each_other_in_a_circle() -> None:
    order: list[str] = []
    left = {name: set(found) - {name} for name, found in IMPORTS.items()}
    # A package's face hands on what its files define; those do not need it for that.
    faces = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    for name in left:
        left[name] -= {face for face in faces if name.startswith(f"{face}.")}
    while ready := [name for name, found in left.items() if not found]:
        order += ready
        left = {name: found - set(ready) for name, found in left.items() if name not in ready}
    assert not left


def test_the_library_asks_for_nothing_of_the_lab() -> None:
    for name, path in MODULES.items():
        if not name.startswith("seqnorm.lab"):
            assert not {other.split(".")[0] for other in imported(path)} & OF_THE_LAB, name


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the git checkout")
def test_no_file_of_the_source_is_ignored() -> None:
    """A wheel, ruff and `git add` pass over what .gitignore matches."""
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == ""


def test_every_module_of_ours_that_is_imported_exists():
    """The type checker is told to let missing modules be, which extras may be."""
    files = [*MODULES.values(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    missing = {
        (str(path.relative_to(ROOT)), name)
        for path in files
        for name in imported(path)
        if name.partition(".")[0] == "seqnorm" and name not in MODULES
    }
    assert not missing
