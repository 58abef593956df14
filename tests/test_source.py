"""The source tree: what may import what, and that no file of it is ignored."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each may import those before it; a Keras programmer's model needs the first five alone.
ORDER = ("ops", "kernels", "normalizers", "cells", "layers", "models", "training")
BESIDE = {"models": {"config", "config_models", "data"}}
ABOVE = {
    "analysis",
    "bench",
    "cards",
    "checks",
    "cli",
    "cli_help",
    "comparison",
}  # why is a task of training


def imported(path: Path) -> set[str]:
    """Names below seqnorm that a file imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "seqnorm":
            found |= {f"seqnorm.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name.split(".")[1] for name in found if name.startswith("seqnorm.")}


@pytest.mark.parametrize("package", ORDER)
def test_imports_go_one_way(package: str) -> None:
    before = {*ORDER[: ORDER.index(package)], package}
    for path in (ROOT / "seqnorm" / package).rglob("*.py"):
        names = imported(path)
        if package == "training":
            assert not names & ABOVE, path
        else:
            assert names <= before | BESIDE.get(package, set()), path


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the git checkout")
def test_no_file_of_the_source_is_ignored() -> None:
    """A wheel, ruff and `git add` pass over what .gitignore matches."""
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == ""
