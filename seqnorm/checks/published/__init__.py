"""Cells called "layer-normalised" elsewhere, in NumPy, each from its own source's equations.

They use nothing of the rest of seqnorm, so that they can judge it.
"""

from __future__ import annotations

from seqnorm.checks.published.gru import gru_haste, gru_paper
from seqnorm.checks.published.lstm import (
    lstm_addons,
    lstm_contrib,
    lstm_fastrnns,
    lstm_haste,
    lstm_hou,
    lstm_paper,
    lstm_sonnet1,
)
from seqnorm.checks.published.simple_rnn import simple_rnn_addons, simple_rnn_paper
from seqnorm.checks.published.step import Variant, Weights

VARIANTS: dict[tuple[str, str], Variant] = {
    ("simple_rnn", "paper"): simple_rnn_paper,
    ("simple_rnn", "addons"): simple_rnn_addons,
    ("lstm", "paper"): lstm_paper,
    ("lstm", "addons"): lstm_addons,
    ("lstm", "contrib"): lstm_contrib,
    ("lstm", "fastrnns"): lstm_fastrnns,
    ("lstm", "haste"): lstm_haste,
    ("lstm", "hou"): lstm_hou,
    ("lstm", "sonnet1"): lstm_sonnet1,
    ("gru", "paper"): gru_paper,
    ("gru", "haste"): gru_haste,
}

__all__ = ["VARIANTS", "Variant", "Weights"]
