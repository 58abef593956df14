"""Registers the classes with Keras in whichever order the two are imported.

`keras.models.load_model` finds only classes that are registered, and a program that loads a model
may name none of them. Importing Keras here would decide its backend and cost seconds, so where it
is not imported yet the classes follow as soon as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def register() -> None:
    """Import the classes now if Keras is there, else when it has been imported."""
    if "keras" in sys.modules:
        import_module("seqnorm.layers")
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras())


class _AfterKeras(MetaPathFinder):
    """Lets the other finders find Keras and our modules, and adds a last step to their import."""

    def __init__(self) -> None:
        self.running = 0  # imports that are under way

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "keras" and not name.startswith("seqnorm."):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = self._then(spec.loader.exec_module)  # type: ignore[method-assign]
        return spec

    def _then(self, execute: Any) -> Any:
        def exec_module(module: ModuleType) -> None:
            self.running += 1
            try:
                execute(module)
            finally:
                self.running -= 1
            # Where a module of ours imports Keras, the classes may stand on it: it comes first.
            if not self.running and "keras" in sys.modules and self in sys.meta_path:
                sys.meta_path.remove(self)
                import_module("seqnorm.layers")

        return exec_module
