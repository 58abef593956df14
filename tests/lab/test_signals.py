"""SIGTERM and SIGHUP end a command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from seqnorm.lab.commands.report import main as report
from seqnorm.lab.commands.train import main as train
from seqnorm.lab.signals import Stopped, at_once, deferred, interruptible, stoppable


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_command_that_is_asked_to_end_says_so_and_returns_the_signal_s_code(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @interruptible("a command: interrupted")
    def command() -> int:
        os.kill(os.getpid(), number)
        return 0

    before = signal.getsignal(number)
    assert command() == code
    assert capsys.readouterr().err == "a command: interrupted\n"
    assert signal.getsignal(number) is before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_comes_first_is_done_before_the_error_and_a_second_signal_does_not_wait() -> None:
    seen = []

    def first() -> None:
        seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match="SIGTERM"), stoppable(first):
        os.kill(os.getpid(), signal.SIGTERM)
    assert seen == [before]


def test_a_single_run_that_is_asked_to_end_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "seqnorm.lab.training.run.run", lambda config: os.kill(os.getpid(), signal.SIGTERM)
    )
    assert train(["experiment=smoke"]) == 143
    err = capsys.readouterr().err
    assert err == "seqnorm-train: interrupted; the same command goes on from here\n"
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_asked_to_end_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "seqnorm.lab.commands.report.write_report",
        lambda *a, **k: os.kill(os.getpid(), signal.SIGTERM),
    )
    assert report(["runs"]) == 143
    assert "seqnorm-report: interrupted" in capsys.readouterr().err


def test_a_signal_waits_for_a_moment_that_suits_and_a_second_one_does_not() -> None:
    with pytest.raises(Stopped, match="SIGTERM"), stoppable(), deferred() as request:
        os.kill(os.getpid(), signal.SIGTERM)
        assert request.number == signal.SIGTERM  # and the work goes on
        request.heed()
    with pytest.raises(Stopped, match="SIGHUP"), stoppable(), deferred():
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("the second signal waited")
    with pytest.raises(Stopped, match="SIGTERM"), stoppable(), deferred():
        os.kill(os.getpid(), signal.SIGTERM)  # heeded at the end, if nobody did before


def test_only_signals_that_somebody_handles_are_deferred() -> None:
    before = signal.getsignal(signal.SIGUSR2)
    with deferred() as request:
        assert signal.getsignal(signal.SIGUSR2) is before is signal.SIG_DFL
    assert request.number is None
    heard = []
    signal.signal(signal.SIGUSR2, lambda number, frame: heard.append(number))
    try:
        with deferred() as request:
            os.kill(os.getpid(), signal.SIGUSR2)
            assert not heard
            request.heed()
            assert heard == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_where_python_cannot_be_interrupted_a_signal_ends_the_process():
    """And what a library has put in the place of a handler meanwhile does not stay."""
    before = signal.getsignal(signal.SIGINT)
    with at_once():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        signal.signal(signal.SIGINT, lambda number, frame: None)
    assert signal.getsignal(signal.SIGINT) is before
