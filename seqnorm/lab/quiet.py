"""Keras and TensorFlow without what their C++ says while it is loaded."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

# What TensorFlow logs while it is loaded, before any level that was asked for is heard: that oneDNN
# is on, that there is no GPU. Errors and fatal lines begin with E and F.
_CHATTER = re.compile(rb"WARNING: All log messages before absl::InitializeLog|[IW]\d{4} ")


def import_keras() -> None:
    """Loads Keras and its backend."""
    import_quietly("keras")


def import_quietly(name: str) -> None:
    """Loads Keras, TensorFlow or what needs them; on standard error appears what is no greeting."""
    # Later lines of TensorFlow's C++ hear this: what matters it raises.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name not in sys.modules:
        with _without_chatter():
            import_module(name)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # every graph here is traced anew


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Holds what any code writes to file descriptor 2, and then writes it without the chatter."""
    try:
        before = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)
            held.seek(0)
            for line in held:
                if not _CHATTER.match(line):
                    os.write(2, line)
