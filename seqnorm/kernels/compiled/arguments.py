"""Groups of arguments that the compiled functions take.

Letters: R rows of this thread, sorted from long to short; N their tokens, time-major (all rows
alive at step 0, then step 1, ...); B, T batch and steps of the dense arrays; E, H inputs and units;
G columns of the kernel. All arrays are flat and contiguous, `*_rows` and `*_tokens` say where a row
starts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Codes(NamedTuple):
    """What is computed, as numbers: see `seqnorm.kernels.spec`."""

    cell: int
    carry: int  # 1: the next step sees N(c) instead of c
    joined: int  # 1: no norm on either product, so both are summed in one buffer
    apart: int  # 1: h U has an offset of its own and stays apart from x W up to the gates
    direct: int  # 1: h_(t-1) enters h_t also past h U, so that dh is added to and not replaced
    masked: int  # what the outputs of masked steps are
    pooling: int  # what is made of a row's outputs: 0, MEAN or MAX


class Sizes(NamedTuple):
    """Sizes, and this thread's part of them."""

    steps: int
    inputs: int
    units: int
    columns: int
    share: int  # this thread's index among those that meet
    shares: int  # how many meet; 1 if rows do not see each other
    block: int  # rows that go through a step together, all of the thread's if it meets others


class Layout(NamedTuple):
    """Where rows and tokens are (int64)."""

    alive: Array  # [steps] rows alive, of this thread
    together: Array  # [shares, steps] those of each thread that it meets
    start: Array  # [steps + 1] first token of a step
    chunks: Array  # first step of each chunk, then the number of steps
    kept_from: Array  # [steps] the first token whose x W is held while the step runs
    lengths: Array  # [R]
    begins: Array  # [R] step of the outputs at which the row's first token stands
    rows: Array  # [R] index in the batch
    x_tokens: Array  # [N] x_t of the token in x[B, T, E]
    h_tokens: Array  # [N] h_(t-1) of the token in h[B, T, H]; of no meaning at t = 0
    state_rows: Array  # [R] the row in [B, H]
    wide_rows: Array  # multiples of G
    unit_rows: Array  # multiples of H


class Site(NamedTuple):
    """One place where a normaliser can stand; what its kind has no use for is empty.

    Its source is flat with `columns` a row: pre_in, pre_rec or state of `Saved`.
    """

    kind: int
    epsilon: float  # of the arrays' type
    columns: int
    pieces: Array  # [., 2] column ranges (start, width) that are normalised together
    mean: Array  # what is subtracted, of each row and piece, or of each column (and step, if given)
    scale: Array  # what is multiplied by, likewise
    sums: Array  # [4, columns] of one step: what all threads' rows come to, see `meeting`
    seen: Array  # [steps, 2, columns] the mean and the variance of the rows alive
    prior: Array  # [steps, 3, columns] the weight of the batch, a mean and a variance
    gain: Array  # [columns]
    offset: Array  # [columns]
    d_gain: Array
    d_offset: Array


class Saved(NamedTuple):
    """What the forward pass leaves for the backward pass, which overwrites it."""

    pre_in: Array  # [N, G] x W, or that of one chunk, computed again on the way back
    pre_rec: Array  # [N, G] h U
    state: Array  # [N, H] c
    carried: Array  # [N, H] what the next step sees: `state` itself, or N(c)


class Scratch(NamedTuple):
    """Working memory of one thread, for one block of rows."""

    z: Array
    q: Array
    y: Array
    dy: Array
    dh: Array  # [R, H]
    dc: Array  # [R, H]
    left: Array  # left factor of a chunk
    panel: Array  # right panel of a chunk


class Tables(NamedTuple):
    """Constant offsets for the register tile, and room for one tile that has columns too many."""

    spill: Array  # [ROWS, panel width]
    spill_rows: Array  # where its rows start
    left_rows: Array  # 0, 1, ...
    c_rows: Array  # multiples of G


class Call(NamedTuple):
    """Everything one thread needs. Arrays that a pass does not use are empty."""

    codes: Codes
    sizes: Sizes
    layout: Layout
    input: Site  # of x W
    recurrent: Site  # of h U
    state: Site  # of c on its way to h
    saved: Saved
    scratch: Scratch
    tables: Tables
    x: Array  # [B, T, E]
    h: Array  # [B, T, H]
    h0: Array  # [B, H]
    c0: Array  # [B, H]
    w: Array  # packed W; empty on the way back if x W was kept
    w_back: Array  # packed W^T; empty: no gradient of x
    u: Array  # packed U forward, U^T backward
    # [B, H], where a row's outputs are pooled:
    pooled: Array  # their mean or maximum
    # Forward how many steps have the maximum; backward what each of them gets of the gradient, or
    # of that of a mean each step.
    shares: Array
    d_h: Array  # dL/dh [B, T, H]; empty: no output of all steps has a gradient
    dx: Array  # [B, T, E]
    dw: Array  # [E, G]
    du: Array  # [H, G]
    silent: Array  # [R] first steps after which the state still rests at zero; backward only
    # Of calls whose rows see each other; None in others, which are compiled without them.
    sync: Array | None  # a counter at zero
    meeting: Array | None  # [2, shares, .] what the threads tell each other, see `meeting`
