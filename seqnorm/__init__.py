"""Normalised recurrent networks on Keras 3.

The names below load on first use, so that `import seqnorm` and the analysis of finished runs cost
neither Keras nor TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqnorm import normalizers as normalizers
    from seqnorm.cells import NormLSTMCell as NormLSTMCell
    from seqnorm.layers import MaskedPooling as MaskedPooling
    from seqnorm.layers import NormLSTM as NormLSTM
    from seqnorm.layers import NormRNN as NormRNN

__version__ = "0.1.0"

# Public name -> the module that holds it. Loading any of them registers all classes with Keras.
_HOMES = {
    "MaskedPooling": "seqnorm.layers",
    "NormLSTM": "seqnorm.layers",
    "NormLSTMCell": "seqnorm.cells",
    "NormRNN": "seqnorm.layers",
}

__all__ = [*_HOMES, "normalizers"]


def __getattr__(name: str) -> Any:
    if name == "normalizers":
        return import_module("seqnorm.normalizers")
    if name not in _HOMES:
        raise AttributeError(f"module 'seqnorm' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
