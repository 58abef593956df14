"""Which cell a call runs: gates, the way to h, and the way back.

A new cell has a file beside `lstm`, `gru` and `simple_rnn`, a line in `seqnorm.kernels.spec.CELLS`
and its line in each of these functions. On entry to `activate` scratch.z holds the pre-activations
(of a cell whose parts stay apart: those of x W, and scratch.q those of h U).
"""

from __future__ import annotations

from numba import njit

from seqnorm.kernels.compiled.gru import gru_backward, gru_forward, gru_gates
from seqnorm.kernels.compiled.lstm import lstm_backward, lstm_forward, lstm_gates
from seqnorm.kernels.compiled.options import PART
from seqnorm.kernels.compiled.simple_rnn import simple_backward, simple_forward
from seqnorm.kernels.compiled.step import preactivate
from seqnorm.kernels.spec import GRU, LSTM, SIMPLE_RNN


@njit(**PART)
def activate(call, rows):
    """Replaces the pre-activations of a block by its gates; a SimpleRNN has none."""
    scratch, units = call.scratch, call.sizes.units
    if call.codes.cell == LSTM:
        lstm_gates(scratch.z, rows, units)
    elif call.codes.cell == GRU:
        gru_gates(scratch.z, scratch.q, rows, units)


@njit(**PART)
def gates_again(call, step, token, rows):
    """The gates of a block on the way back; the gradient of a SimpleRNN needs h alone."""
    if call.codes.cell != SIMPLE_RNN:
        preactivate(call, step, token, rows)
        activate(call, rows)


@njit(**PART)
def cell_forward(call, step, row, rows):
    """From the gates of a block to its h (and c)."""
    if call.codes.cell == LSTM:
        lstm_forward(call, step, row, rows)
    elif call.codes.cell == GRU:
        gru_forward(call, step, row, rows)
    else:
        simple_forward(call, step, row, rows)


@njit(**PART)
def cell_backward(call, step, row, rows):
    """From dh (and dc) of a block and its gates to the gradients of its pre-activations."""
    if call.codes.cell == LSTM:
        lstm_backward(call, step, row, rows)
    elif call.codes.cell == GRU:
        gru_backward(call, step, row, rows)
    else:
        simple_backward(call, step, row, rows)
