"""Which tokens of a batch are alive, and where the outputs of these stand among all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from seqnorm.kernels.host.pool import POOL


@dataclass(frozen=True, eq=False)
class Rows:
    """The alive tokens of a batch in running order; made by `rows_of`.

    The kernels see each row's alive tokens one after the other, without the holes of the mask.
    Where no row has a hole, as with padding on either side, their outputs stand where they belong;
    else they stand at the front of each row, and `spread` puts them in order.
    """

    mask: np.ndarray  # bool[B, T] in running order
    lengths: np.ndarray  # int64[B] alive tokens
    positions: np.ndarray  # int64[B, T] where in the input a row's k-th alive token is
    begins: np.ndarray  # int64[B] steps before the first alive one; 0 if some row has holes
    holes: bool  # some row has a masked step between two alive ones

    @cached_property
    def alive(self) -> np.ndarray:
        """int64[steps]: how many rows are alive at each step that some row reaches."""
        steps = int(self.lengths.max(initial=0))
        ended = np.cumsum(np.bincount(self.lengths, minlength=steps + 1))
        return len(self.lengths) - ended[:steps]

    def spread(self, h: np.ndarray, repeat: bool) -> np.ndarray:
        """Outputs of all steps in running order, from those of the alive tokens, both [B, T, H].

        A masked step repeats the output before it (zeros at first) or, without `repeat`, is zero.
        Without holes the result is `h`, whose masked steps the kernels have set.
        """
        if not self.holes:
            return h
        out = POOL.lend(h.shape, h.dtype)
        for row, length in enumerate(self.lengths):
            if repeat:
                seen = np.cumsum(self.mask[row])
                out[row] = h[row, np.maximum(seen - 1, 0)]
                out[row, seen == 0] = 0
            else:
                out[row] = 0
                out[row, self.mask[row]] = h[row, :length]
        return out

    def collect(self, d_out: np.ndarray, repeat: bool) -> np.ndarray:
        """dL/dh [B, T, H] from dL/d(spread(h)), of use only where a row has not ended."""
        if not self.holes:
            return d_out
        d_h = POOL.lend(d_out.shape, d_out.dtype)
        for row, length in enumerate(self.lengths):
            alive = np.flatnonzero(self.mask[row])
            if repeat and length:
                # An output stands for all steps up to the next alive one.
                np.add.reduceat(d_out[row], alive, axis=0, out=d_h[row, :length])
            else:
                d_h[row, :length] = d_out[row, alive]
        return d_h


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
    lengths, begins = mask.sum(1), (np.cumsum(mask, axis=1) == 0).sum(1)
    after = steps - begins[:, None]
    holes = bool((mask != ((after >= 0) & (after < lengths[:, None]))).any())
    return Rows(mask, lengths, positions, begins * (not holes), holes)
