"""What a fused call computes, as plain data. Imports no package but the standard library's."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache

from seqnorm.kernels import machine

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
# What the outputs of masked steps are, before a row's alive ones and after them: left as they are,
# all zero, or zero before and the last alive one's after.
UNSET, ZEROS, REPEAT = 0, 1, 2
# Batch renormalisation's final clipping (Ioffe, 2017, section 4): r in [1/3, 3], |d| <= 5.
R_MAX, D_MAX = 3.0, 5.0
CELLS = {"simple_rnn": SIMPLE_RNN, "lstm": LSTM, "gru": GRU}
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}

DTYPES = ("float32", "float64")
NO_NUMBA = "numba cannot be imported"
NOT_IN = "the kernels compute in float32 or float64, not {}"
SITES = ("input", "recurrent", "state")


@dataclass(frozen=True)
class Spec:
    """One recurrent layer as the kernels see it.

    Args:
        cell: "simple_rnn", "lstm" (gates i, f, c, o) or "gru" (z, r, h; the reset gate after the
            product).
        input_norm: norm of x W. "batch" uses the moments of the rows alive at each step; "renorm"
            corrects these towards given ones; "fixed" is batch normalisation with given moments
            (inference).
        recurrent_norm: norm of h U.
        state_norm: norm of c on its way to h (LSTM only).
        carry: the LSTM carries N(c) to the next step instead of c.
        split: the GRU normalises (z, r) and the candidate apart; otherwise all three together.
        epsilons: epsilon of the input, recurrent and state norm.
        dtype: "float32" or "float64".
    """

    cell: str
    input_norm: str = "none"
    recurrent_norm: str = "none"
    state_norm: str = "none"
    carry: bool = False
    split: bool = True
    epsilons: tuple[float, float, float] = (1e-5, 1e-5, 1e-5)
    dtype: str = "float32"

    @property
    def gates(self) -> int:
        """Blocks of `units` columns in the kernel: 1, 4 or 3."""
        return GATES[self.cell]

    @property
    def norms(self) -> tuple[str, str, str]:
        """Norms of the input, recurrent and state site."""
        return self.input_norm, self.recurrent_norm, self.state_norm

    @property
    def joined(self) -> bool:
        """Whether x W and h U are summed in one buffer, since nothing needs them apart."""
        return self.cell != "gru" and self.input_norm == self.recurrent_norm == "none"

    @property
    def couples_rows(self) -> bool:
        """Whether rows see each other, so that threads must split units instead of rows."""
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
    if spec.couples_rows and {"layer", "rms"} & set(spec.norms):
        return "batch norm beside layer or RMS norm in one cell needs the loop"
    if spec.cell != "lstm" and (spec.state_norm != "none" or spec.carry):
        return f"state norm and carry exist only for the LSTM, not for {spec.cell}"
    if spec.carry and spec.state_norm == "none":
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
