"""When the fused kernels can run a layer, and why not when they cannot."""

from __future__ import annotations

import sys
from functools import cache
from warnings import warn

import keras
from keras import activations

from seqnorm import kernels
from seqnorm.cells import NormCell
from seqnorm.layers.engines.call import Call
from seqnorm.layers.engines.fused import Norms, norms_at, spec_of

# What a subclass may not change if the kernels are to compute the same.
_OF_CELL = ("step", "advance", "preactivation", "recurrent", "project", "offset")
_OF_NORM = ("call", "affine")

# What traces a function in order to save it.
_EXPORTERS = ("keras.src.export", "tensorflow.lite", "tf2onnx")


def fused_obstacle(call: Call) -> str | None:
    """Why the kernels cannot run the call here and now; None when they can."""
    if keras.backend.backend() != "tensorflow":
        return f"the kernels are bound to TensorFlow, not to {keras.backend.backend()}"
    if call.all_states:
        return "the states of all steps are known to the loop only"
    if call.unroll:
        return "unroll=True asks for a loop written out"
    if call.seen is not None:
        return "the layer is being observed"
    if call.time_aware and call.carried:
        return "rows that start at different steps need the loop where statistics are per step"
    of_cells = (_cell_obstacle(cell, call.training) for cell in call.cells)
    return _graph_obstacle() or next(filter(None, of_cells), None)


def replaceable(cell: NormCell) -> bool:
    """Whether `keras.layers.RNN` is running a cell that the kernels would run inside `NormRNN`."""
    if keras.backend.backend() != "tensorflow" or not _called_by("keras.src.layers.rnn.rnn"):
        return False
    return _cell_obstacle(cell, training=True) is None and _graph_obstacle() is None


def _graph_obstacle() -> str | None:
    import tensorflow as tf
    from tensorflow.python.eager.forwardprop_util import pack_tangents
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
    from tensorflow.python.saved_model.save_context import in_save_context

    if tf.config.list_logical_devices("GPU"):
        return "the kernels run on the CPU, and TensorFlow sees a GPU"
    if pack_tangents([]).indices:  # one entry for each accumulator that is at work
        return "tf.autodiff.ForwardAccumulator (keras.ops.jvp) needs the loop's derivatives"
    if tf.executing_eagerly():
        return None
    if GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return "XLA compiles the loop (jit_compile=True)"
    if in_save_context() or _called_by(*_EXPORTERS):
        return "an exported model must run without Python"
    if _called_by("tensorflow.python.ops.parallel_for"):
        return "tf.vectorized_map rewrites the operations of the loop"
    return None


def _called_by(*packages: str) -> bool:
    """Whether a function of one of the packages is under way: none of them says so otherwise."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if str(frame.f_globals.get("__name__")).startswith(packages):
            return True
    return False


def _cell_obstacle(cell: NormCell, training: bool) -> str | None:
    own = cell.to_kernel()
    if not own.kind:
        return f"there is no kernel for {type(cell).__name__}"
    normalised = cell.normalized_sites() & cell.SITES.keys()
    elsewhere = sorted(normalised - {*own.input, *own.recurrent, *own.state})
    changed = kernels.changed(cell, _OF_CELL)
    obstacles = {
        f"{type(cell).__name__} has a {'/'.join(changed)} of its own": changed,
        "the kernels have tanh and sigmoid only": any(
            each is not activations.tanh for each in own.tanh
        )
        or any(each is not activations.sigmoid for each in own.sigmoid),
        "dropout inside the cell needs the loop": training
        and (cell.dropout or cell.recurrent_dropout),
        "zoneout needs the loop": any(cell.zoneout),
        f"no kernel has a norm at {', '.join(elsewhere)}": elsewhere,
    }
    found = [reason for reason, present in obstacles.items() if present]
    found += filter(None, map(_norms_obstacle, norms_at(cell)))
    return found[0] if found else kernels.why_not(spec_of(cell, training=True))


def _norms_obstacle(norms: Norms) -> str | None:
    """Why the kernels cannot take these normalisers, which stand side by side, as one."""
    kinds = {norm: norm.to_kernel(training=True) for norm in norms.values()}
    for norm, kind in kinds.items():
        name, changed = type(norm).__name__, kernels.changed(norm, _OF_NORM)
        if not kind.kind:
            return f"there is no kernel for {name}"
        if changed:
            return f"{name} has a {'/'.join(changed)} of its own"
    if len({kind[:2] for kind in kinds.values()}) > 1:
        return "one of two normalisers side by side is frozen, or has another epsilon"
    return None


@cache
def warn_once(reason: str) -> None:
    """Say that the fast kernels are not to be had here."""
    advice = "Pass implementation='loop' if that is meant."
    if reason == kernels.NO_NUMBA:
        advice = "Install it with pip install numba, or pass implementation='loop'."
    warn(
        f"seqnorm runs its portable loop, several times slower on a CPU: {reason}. {advice}",
        RuntimeWarning,
        stacklevel=2,
    )
