"""When the fused kernels can run a layer, and why not when they cannot."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING
from warnings import warn

import keras
from keras import activations

from seqnorm import kernels
from seqnorm.cells import CELLS, NormCell
from seqnorm.layers.fused import KINDS, norms_at, spec_of

if TYPE_CHECKING:
    from seqnorm.layers.recurrent import NormRNN

# What a subclass may not change if the kernels are to compute the same.
_METHODS = ("step", "advance", "preactivation", "recurrent", "project", "offset")


def why_not(layer: NormRNN, carried: bool, training: bool) -> str | None:
    """Why the kernels cannot run the layer here and now; None when they can.

    Args:
        layer: the layer, built.
        carried: whether the call starts from given states.
        training: whether the call is one of training.
    """
    if keras.backend.backend() != "tensorflow":
        return f"the kernels are bound to TensorFlow, not to {keras.backend.backend()}"
    if layer.unroll:
        return "unroll=True asks for a loop written out"
    if layer.seen is not None:
        return "the layer is being observed"
    if layer.time_aware and carried:
        return "rows that start at different steps need the loop where statistics are per step"
    of_cells = (_cell_obstacle(cell, training) for cell in layer.cells)
    return _graph_obstacle() or next(filter(None, of_cells), None)


def _graph_obstacle() -> str | None:
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
    from tensorflow.python.saved_model.save_context import in_save_context

    if tf.config.list_logical_devices("GPU"):
        return "the kernels run on the CPU, and TensorFlow sees a GPU"
    if tf.executing_eagerly():
        return None
    if GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return "XLA compiles the loop (jit_compile=True)"
    if in_save_context() or _called_by("keras.src.export"):
        return "an exported model must run without Python"
    if _called_by("tensorflow.python.ops.parallel_for"):
        return "tf.vectorized_map rewrites the operations of the loop"
    return None


def _called_by(package: str) -> bool:
    """Whether a function of the package is under way: neither of the two says so otherwise."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if str(frame.f_globals.get("__name__")).startswith(package):
            return True
    return False


def _cell_obstacle(cell: NormCell, training: bool) -> str | None:
    known = CELLS.get(cell.NAME)
    if known is None:
        return f"there is no kernel for {type(cell).__name__}"
    changed = [name for name in _METHODS if getattr(type(cell), name) is not getattr(known, name)]
    kinds = [type(norm) for norm in cell.normalizers.values()]
    gates = getattr(cell, "recurrent_activation", activations.sigmoid)
    obstacles = {
        f"{type(cell).__name__} has a {'/'.join(changed)} of its own": changed,
        "the kernels have tanh and sigmoid only": cell.activation is not activations.tanh
        or gates is not activations.sigmoid,
        "dropout inside the cell needs the loop": training
        and (cell.dropout or cell.recurrent_dropout),
        "zoneout needs the loop": any(cell.zoneout),
        "placement='joint' needs the loop": cell.placement == "joint",
        "no kernel for the normaliser": not set(kinds) <= set(KINDS),
        "no kernel for these batch statistics": any(
            norm.whole_sequence for norm in cell.normalizers.values()
        ),
        "one of two normalisers side by side is frozen": _half_frozen(cell),
    }
    found = [reason for reason, present in obstacles.items() if present]
    return found[0] if found else kernels.why_not(spec_of(cell, training=True))


def _half_frozen(cell: NormCell) -> bool:
    """Whether normalisers that the kernels take as one are not all trainable or all frozen."""
    sites = (norms_at(cell, site) for site in kernels.SITES)
    return any(len({norm.trainable for _, norm in norms}) > 1 for norms in sites)


@cache
def warn_once(reason: str) -> None:
    """Say that the fast kernels are not to be had here."""
    advice = "Pass implementation='loop' if that is meant."
    if reason == kernels.NO_NUMBA:
        advice = "Install it with pip install 'seqnorm[fused]', or pass implementation='loop'."
    warn(
        f"seqnorm runs its portable loop, several times slower on a CPU: {reason}. {advice}",
        RuntimeWarning,
        stacklevel=2,
    )
