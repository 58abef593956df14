"""Normalised recurrent networks on Keras 3.

The names below load on first use, so that the analysis of finished runs costs neither Keras nor
TensorFlow. All classes are registered with Keras as soon as both are imported, in either order.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seqnorm.registration import register

if TYPE_CHECKING:
    from seqnorm import migrate as migrate
    from seqnorm import normalizers as normalizers
    from seqnorm.cells import LayerNormLSTMCell as LayerNormLSTMCell
    from seqnorm.cells import LayerNormSimpleRNNCell as LayerNormSimpleRNNCell
    from seqnorm.cells import NormGRUCell as NormGRUCell
    from seqnorm.cells import NormLSTMCell as NormLSTMCell
    from seqnorm.cells import NormSimpleRNNCell as NormSimpleRNNCell
    from seqnorm.layers import MaskedPooling as MaskedPooling
    from seqnorm.layers import NormGRU as NormGRU
    from seqnorm.layers import NormLSTM as NormLSTM
    from seqnorm.layers import NormRNN as NormRNN
    from seqnorm.layers import NormSimpleRNN as NormSimpleRNN
    from seqnorm.layers import reestimate as reestimate

__version__ = "0.1.0"

# Public name -> the module that holds it. Loading any of them registers all classes with Keras.
_HOMES = {
    "NormSimpleRNNCell": "seqnorm.cells",
    "NormLSTMCell": "seqnorm.cells",
    "NormGRUCell": "seqnorm.cells",
    "LayerNormSimpleRNNCell": "seqnorm.cells",
    "LayerNormLSTMCell": "seqnorm.cells",
    "NormRNN": "seqnorm.layers",
    "NormSimpleRNN": "seqnorm.layers",
    "NormLSTM": "seqnorm.layers",
    "NormGRU": "seqnorm.layers",
    "MaskedPooling": "seqnorm.layers",
    "reestimate": "seqnorm.layers",
}

_MODULES = ("cells", "layers", "migrate", "normalizers")

__all__ = [*_HOMES, "migrate", "normalizers"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"seqnorm.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'seqnorm' has no attribute {name!r}")
    import_module("seqnorm.layers")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


register()
