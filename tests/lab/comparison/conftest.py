"""Comparisons whose runs are made in this process."""

from __future__ import annotations

import sys

import pytest

from seqnorm.lab.engine.local import Local
from seqnorm.lab.engine.maker import state_of
from seqnorm.lab.engine.order import Order, Outcome
from seqnorm.lab.engine.process import make_run


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are made where the test runs: starting TensorFlow takes longer than they take."""

    def here(order: Order) -> Outcome:
        monkeypatch.setenv("SEQNORM_THREADS", str(order.threads))
        order.log.touch()
        answer = make_run(order)
        return Outcome(order.name, state_of(answer), answer.error or "")

    monkeypatch.setattr(Local, "make", staticmethod(here))
    monkeypatch.setattr(sys, "argv", sys.argv)  # which a run sets
