"""Normalisers: statistics of one tensor. One contract, one small class each.

To add one: write the class, name it in `NORMALIZERS`, give it `conf/norm/<name>.yaml`, its
line in `seqnorm/lab/config/parts.py`, and a NumPy oracle;
`tests/grid.py` then runs it through every property. Where the fused kernels compute the same,
`to_kernel` says so.
"""

from __future__ import annotations

from typing import Any

import keras

from seqnorm.normalizers.base import AffineNormalizer, Context, MomentNormalizer, Normalizer
from seqnorm.normalizers.batch import BatchNorm
from seqnorm.normalizers.dyt import DynamicTanh
from seqnorm.normalizers.group import GroupNorm
from seqnorm.normalizers.identity import Identity
from seqnorm.normalizers.layer import LayerNorm
from seqnorm.normalizers.rms import RMSNorm
from seqnorm.spelling import one_of

NORMALIZERS: dict[str, type[Normalizer]] = {
    "none": Identity,
    "layer": LayerNorm,
    "rms": RMSNorm,
    "batch": BatchNorm,
    "group": GroupNorm,
    "dyt": DynamicTanh,
}


def get(identifier: str | dict[str, Any] | Normalizer | None) -> Normalizer:
    """The normaliser that `identifier` names.

    Args:
        identifier: a name such as "layer"; a dict with the name and arguments, such as
            `{"name": "batch", "momentum": 0.9}`; a normaliser, or one that Keras has serialised;
            or None for no normalisation.
            The names: "none", "layer", "rms", "batch", "group", "dyt".

    Returns:
        The normaliser: a new one, or `identifier` itself where it is one.

    Raises:
        ValueError: for an unknown name, a dict without one, or an argument that the normaliser does
            not take; the message names the valid ones.
        TypeError: for any other type.

    Examples:
        >>> from seqnorm import normalizers
        >>> normalizers.get({"name": "batch", "momentum": 0.9}).momentum
        0.9
    """
    if isinstance(identifier, Normalizer):
        return identifier
    if identifier is None:
        return Identity()
    if isinstance(identifier, str):
        identifier = {"name": identifier}
    if not isinstance(identifier, dict):
        raise TypeError(
            "`norm` must be a name, a dict with a name, a normaliser or None. "
            f"Received: norm={identifier!r}. Names: {', '.join(NORMALIZERS)}.{_hint(identifier)}"
        )
    if "class_name" in identifier:  # of a `get_config`
        return get(keras.saving.deserialize_keras_object(identifier))
    if "name" not in identifier:
        raise ValueError(
            "`norm` as a dict needs a name, as in {'name': 'layer'}. "
            f"Received: norm={identifier!r}. Names: {', '.join(NORMALIZERS)}."
        )
    arguments = dict(identifier)
    name = arguments.pop("name")
    if name not in NORMALIZERS:
        raise ValueError(
            f"Unknown normaliser. Received: name={name!r}. {one_of(name, NORMALIZERS)}{_hint(name)}"
        )
    return NORMALIZERS[name](**arguments)


def _hint(identifier: Any) -> str:
    """What to write for a class, or where an activation stands second as in Keras's layers."""
    if isinstance(identifier, type) and issubclass(identifier, Normalizer):
        return f" Pass an instance: norm={identifier.__name__}()."
    name = identifier if isinstance(identifier, str) else getattr(identifier, "__name__", "")
    if not callable(getattr(keras.activations, name, None)):
        return ""
    return (
        f" {name} is an activation, Keras's second argument; here the second argument is the norm. "
        f"Write activation={name!r}."
    )


__all__ = [
    "NORMALIZERS",
    "AffineNormalizer",
    "BatchNorm",
    "Context",
    "DynamicTanh",
    "GroupNorm",
    "Identity",
    "LayerNorm",
    "MomentNormalizer",
    "Normalizer",
    "RMSNorm",
    "get",
]
