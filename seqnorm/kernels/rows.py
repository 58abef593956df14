"""Which tokens of a batch are alive, and where the outputs of these stand among all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seqnorm.kernels.pool import POOL


@dataclass(frozen=True, eq=False)
class Rows:
    """The alive tokens of a batch in running order; made by `rows_of`.

    The kernels see each row's alive tokens one after the other, without the holes of the mask.
    """

    mask: np.ndarray  # bool[B, T] in running order
    lengths: np.ndarray  # int64[B] alive tokens
    positions: np.ndarray  # int64[B, T] where in the input a row's k-th alive token is
    packed: bool  # no row has a hole before its last alive token

    def spread(self, h: np.ndarray, repeat: bool) -> np.ndarray:
        """Outputs of all steps in running order, from those of the alive tokens, both [B, T, H].

        A masked step repeats the output before it (zeros at first) or, without `repeat`, is zero.
        If `packed`, the result is `h`, its ended steps filled.
        """
        out = h if self.packed else POOL.lend(h.shape, h.dtype)
        for row, length in enumerate(self.lengths):
            if self.packed:
                out[row, length:] = h[row, length - 1] if repeat and length else 0
            elif repeat:
                seen = np.cumsum(self.mask[row])
                out[row] = h[row, np.maximum(seen - 1, 0)]
                out[row, seen == 0] = 0
            else:
                out[row] = 0
                out[row, self.mask[row]] = h[row, :length]
        return out

    def collect(self, d_out: np.ndarray, repeat: bool) -> tuple[np.ndarray, np.ndarray | float]:
        """dL/d(spread(h)) as gradients of the alive tokens and of the last state.

        Returns:
            dL/dh [B, T, H], of use only where a row has not ended; and [B, H], or 0.0, what comes
            to the last state through the outputs that repeat it.
        """
        if self.packed:
            return d_out, self._after_the_end(d_out) if repeat else 0.0
        d_h = POOL.lend(d_out.shape, d_out.dtype)
        for row, length in enumerate(self.lengths):
            alive = np.flatnonzero(self.mask[row])
            if repeat and length:
                # An output stands for all steps up to the next alive one.
                np.add.reduceat(d_out[row], alive, axis=0, out=d_h[row, :length])
            else:
                d_h[row, :length] = d_out[row, alive]
        return d_h, 0.0

    def _after_the_end(self, d_out: np.ndarray) -> np.ndarray:
        """Sum of each row over the steps after its last alive one, [B, H]; zero for empty rows."""
        found = np.zeros_like(d_out[:, 0])
        ended = (self.lengths > 0) & (self.lengths < d_out.shape[1])
        for row in np.flatnonzero(ended):
            d_out[row, self.lengths[row] :].sum(0, out=found[row])
        return found


def rows_of(mask: np.ndarray, backwards: bool = False) -> Rows:
    """The rows of a mask bool[B, T], run from the last token to the first if `backwards`."""
    return _rows_of(np.packbits(mask).tobytes(), mask.shape, backwards)


@lru_cache(maxsize=4)
def _rows_of(packed: bytes, shape: tuple[int, int], backwards: bool) -> Rows:
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=shape[0] * shape[1])
    mask = bits.reshape(shape).astype(bool)
    steps = np.arange(shape[1])
    if backwards:
        mask = mask[:, ::-1]
    order = np.argsort(~mask, axis=1, kind="stable")
    positions = shape[1] - 1 - order if backwards else order
    return Rows(mask, mask.sum(1), positions, bool((order == steps).all()))
