"""What a forward call keeps, and the calls of the compiled loops that are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqnorm.kernels.compiled.arguments import Call, Codes, Saved, Site
from seqnorm.kernels.host import buffers
from seqnorm.kernels.host.arrays import States, Weights
from seqnorm.kernels.host.plan import Share
from seqnorm.kernels.host.rows import Rows
from seqnorm.kernels.spec import SITES, Spec


@dataclass
class Record:
    """What a forward call keeps for its backward call."""

    spec: Spec
    codes: Codes
    rows: Rows
    shares: tuple[Share, ...]
    saved: list[Saved]
    sites: list[tuple[Site, ...]]  # of each share, without gains and offsets
    h: np.ndarray  # [B, T, H], a row's alive steps from `rows.begins` on
    pooled: np.ndarray  # [B, H] of its outputs, and how many steps have a maximum, if asked for
    ties: np.ndarray


class Among(NamedTuple):
    """What the calls of all shares have in common to meet with, if their rows see each other."""

    sync: np.ndarray | None = None
    meeting: np.ndarray | None = None


def among_all(record: Record) -> Among:
    """Made once for all shares of a call."""
    if not record.spec.couples_rows:
        return Among()
    dtype = np.dtype(record.spec.dtype)
    return Among(np.zeros(8, np.int64), buffers.meeting(record.shares, dtype))


def call_of(
    record: Record,
    index: int,
    among: Among,
    x: np.ndarray,
    weights: Weights,
    initial: States,
    grads: Weights | None = None,
    **arrays: np.ndarray | None,
) -> Call:
    """The call of one share; what it has no use for is empty."""
    share, empty = record.shares[index], np.empty(0, record.spec.dtype)
    vectors = {"gain": weights.gains, "offset": weights.offsets}
    if grads is not None:
        vectors |= {"d_gain": grads.gains, "d_offset": grads.offsets}
        arrays |= {"dw": grads.kernel, "du": grads.recurrent_kernel}
    sites = [
        site._replace(**{name: each[at] for name, each in vectors.items()})
        for at, site in enumerate(record.sites[index])
    ]
    given = {name: value for name, value in arrays.items() if value is not None}
    absent = dict.fromkeys(("w", "w_back", "u", "shares", "d_h", "dx", "dw", "du"), empty)
    absent["silent"] = np.empty(0, np.int64)
    kept = {"h": record.h, "pooled": record.pooled}
    flat = {"x": x, "h0": initial.h, "c0": initial.c, **kept, **absent, **given}
    return Call(
        codes=record.codes,
        sizes=share.sizes,
        layout=share.layout,
        **dict(zip(SITES, sites, strict=True)),
        saved=record.saved[index],
        scratch=buffers.scratch(share, empty.dtype, backward=grads is not None),
        tables=buffers.tables(share, empty.dtype),
        **among._asdict(),
        **{name: value.reshape(-1) for name, value in flat.items()},
    )
