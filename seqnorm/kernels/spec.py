"""What a fused call computes, as plain data. Imports no package but the standard library's."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from seqnorm import machine

NONE, LAYER, RMS, BATCH, FIXED, RENORM = 0, 1, 2, 3, 4, 5
SIMPLE_RNN, LSTM, GRU = 0, 1, 2

KINDS = {
    "none": NONE,
    "layer": LAYER,
    "rms": RMS,
    "batch": BATCH,
    "fixed": FIXED,
    "renorm": RENORM,
}
OF_BATCH = ("batch", "renorm")  # kinds that take the moments of the rows alive
OF_ROW = ("layer", "rms")  # kinds that take those of each row
# What the outputs of masked steps are, before a row's alive ones and after them: left as they are,
# all zero, or zero before and the last alive one's after.
UNSET, ZEROS, REPEAT = 0, 1, 2
# What is wanted of the outputs, beside the last states: those of all steps, or of each row the mean
# or maximum of its alive ones.
STEPS = "steps"
MEAN, MAX = 1, 2
POOLINGS = {"mean": MEAN, "max": MAX}
# Batch renormalisation's final clipping (Ioffe, 2017, section 4): r in [1/3, 3], |d| <= 5.
R_MAX, D_MAX = 3.0, 5.0


class CellKind(NamedTuple):
    """A cell that there is a kernel for."""

    code: int
    gates: int  # blocks of `units` columns in the kernel
    state: bool = False  # it carries a second state c, normalised on its way to h
    apart: bool = False  # h U has an offset of its own and stays apart from x W up to the gates
    direct: bool = False  # h_(t-1) enters h_t also past h U


CELLS = {
    "simple_rnn": CellKind(SIMPLE_RNN, 1),
    "lstm": CellKind(LSTM, 4, state=True),  # gates i, f, c, o
    "gru": CellKind(GRU, 3, apart=True, direct=True),  # z, r, h; the reset gate after the product
}

DTYPES = ("float32", "float64")
NO_NUMBA = "numba cannot be imported"
NOT_IN = "the kernels compute in float32 or float64, not {}"
SITES = ("input", "recurrent", "state")


@dataclass(frozen=True)
class SiteSpec:
    """What stands at one site.

    Args:
        kind: "layer" and "rms" normalise each row, or each group of its features; "batch" uses the
            moments of the rows alive at each step, "renorm" corrects these towards given ones;
            "fixed" is batch normalisation with given moments (inference); or "none".
        epsilon: added to the variance.
        parts: (gates, groups) of each of the normalisers side by side; (): one over all gates.
    """

    kind: str = "none"
    epsilon: float = 0.0
    parts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Spec:
    """One recurrent layer as the kernels see it.

    Args:
        cell: one of `CELLS`.
        input: what stands at x W.
        recurrent: at h U.
        state: at c, on its way to h (LSTM only).
        carry: the next step gets N(c) instead of c.
        dtype: "float32" or "float64".
        rests: a state of nothing but zeros passes no gradient on to the step before.
    """

    cell: str
    input: SiteSpec = SiteSpec()
    recurrent: SiteSpec = SiteSpec()
    state: SiteSpec = SiteSpec()
    carry: bool = False
    dtype: str = "float32"
    rests: bool = False

    @property
    def kind(self) -> CellKind:
        """What is known of the cell."""
        return CELLS[self.cell]

    @property
    def gates(self) -> int:
        """Blocks of `units` columns in the kernel."""
        return self.kind.gates

    @property
    def sites(self) -> tuple[SiteSpec, SiteSpec, SiteSpec]:
        """In the order of `SITES`."""
        return self.input, self.recurrent, self.state

    @property
    def norms(self) -> tuple[str, str, str]:
        """Kinds of the input, recurrent and state site."""
        return self.input.kind, self.recurrent.kind, self.state.kind

    @property
    def joined(self) -> bool:
        """Whether x W and h U are summed in one buffer, since nothing needs them apart."""
        return not self.kind.apart and self.norms[:2] == ("none", "none")

    @property
    def couples_rows(self) -> bool:
        """Whether rows see each other, so that threads must meet at every step."""
        return not set(OF_BATCH).isdisjoint(self.norms)


def why_not(spec: Spec) -> str | None:
    """Why the fused kernels cannot serve `spec` on this machine, or None when they can."""
    if spec.cell not in CELLS:
        return f"no kernel for cell={spec.cell!r}"
    unknown = [name for name in spec.norms if name not in KINDS]
    if unknown:
        return f"no kernel for norm={unknown[0]!r}"
    if spec.dtype not in DTYPES:
        return NOT_IN.format(spec.dtype)
    widths = (spec.gates, spec.gates, 1)
    for name, site, gates in zip(SITES, spec.sites, widths, strict=True):
        if site.parts and sum(own for own, _ in site.parts) != gates:
            return f"the norms at the {name} site must cover its {gates} gates"
    if spec.couples_rows and set(OF_ROW) & set(spec.norms):
        return "batch norm beside layer, group or RMS norm in one cell needs the loop"
    if not spec.kind.state and (spec.state.kind != "none" or spec.carry):
        return f"state norm and carry exist only for cells with a state c, not for {spec.cell}"
    if spec.carry and spec.state.kind == "none":
        return "carry needs a state norm"
    return not_here()


@cache
def not_here() -> str | None:
    """Why no kernel runs on this machine, or None: what numba or the processor lacks."""
    try:
        import numba  # it must also fit the other packages
    except ImportError:
        return NO_NUMBA
    if numba.config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT switches numba's compiler off"
    if platform.machine() in ("x86_64", "AMD64") and "fma" not in machine.features():
        return "the processor has no fused multiply-add"
    return None
