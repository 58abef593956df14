"""When the fused kernels can run a layer, and why not when they cannot."""

from __future__ import annotations

from functools import cache
from warnings import warn

from keras import activations

from seqnorm import kernels
from seqnorm.cells import NormCell
from seqnorm.layers.engines.call import Call
from seqnorm.layers.engines.fused import Norms, norms_at, spec_of

# What a subclass may not change if the kernels are to compute the same.
_OF_CELL = ("step", "advance", "preactivation", "recurrent", "project", "offset")
_OF_NORM = ("call", "affine", "row", "running")


def fused_obstacle(call: Call) -> str | None:
    """Why the kernels cannot run the call here and now; None when they can."""
    if call.all_states:
        return "the states of all steps are known to the loop only"
    if call.unroll:
        return "unroll=True asks for a loop written out"
    if call.seen is not None:
        return "the layer is being observed"
    if call.time_aware and call.carried:
        return "rows that start at different steps need the loop where statistics are per step"
    of_cells = (_cell_obstacle(cell, call.training) for cell in call.cells)
    return kernels.obstacle() or next(filter(None, of_cells), None)


def replaceable(cell: NormCell) -> bool:
    """Whether `keras.layers.RNN` is running a cell that the kernels would run inside `NormRNN`."""
    if not kernels.called_by("keras.src.layers.rnn.rnn"):
        return False
    return _cell_obstacle(cell, training=True) is None and kernels.obstacle() is None


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
