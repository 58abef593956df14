"""The command itself, stopped and started again, with real runs, in processes where it counts."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqnorm.lab.commands.compare import main
from seqnorm.lab.comparison.choice import choose, finalists, record_of
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.comparison.run import Comparison
from seqnorm.lab.engine.local import Local
from seqnorm.lab.engine.order import Order, Outcome
from seqnorm.lab.errors import UserError
from seqnorm.lab.report.arms.trials import arm_trials
from seqnorm.lab.report.findings.collect import collect
from seqnorm.lab.report.page.report import write_report
from tests.processes import left_over
from tests.tiers import exhaustive

OPTIONS = [
    "experiment=smoke", "compare.name=small", "compare.arms=['norm=none,layer']",
    "compare.trials=2", "compare.finalists=1", "compare.final_seeds=2", "compare.seeds=1",
    "compare.floors=1", "train.probe_every=0",
]  # fmt: skip
RUNS = 9


def start(runs: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "seqnorm.lab.commands.compare",
        *OPTIONS,
        f"runs_dir={runs}",
        *more,
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"},
        # A shell's background job ignores ctrl-C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def results(runs: Path) -> dict[str, tuple[int, bytes]]:
    """When every result was written, and what it says."""
    return {
        p.parent.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in runs.glob("*/result.json")
    }


def children(process: subprocess.Popen[str]) -> list[int]:
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    threads = path.parent.parent.glob("*/children")
    return [int(pid) for file in threads for pid in file.read_text().split()]


def stop_after(runs: Path, lines: int, how: signal.Signals) -> None:
    """Starts the command, and stops it at any moment of the run after some have finished."""
    moment = random.uniform(0.0, 1.5)
    print(f"stopped {moment:.3f} s after run {lines}")  # shown if the test fails
    process = start(runs, "compare.workers=1")
    assert process.stdout is not None
    try:
        assert "2 arms, 2 settings of each on validation data" in process.stdout.readline()
        assert " to make, 1 at a time" in process.stdout.readline()
        for _ in range(lines):
            assert " gone, about " in process.stdout.readline()
        time.sleep(moment)
        workers = children(process)
        assert process.poll() is None
        process.send_signal(how)
        code = process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert code == (130 if how is signal.SIGINT else -how)
    assert workers and left_over(workers) == [], "a worker outlived the command"


@exhaustive
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks processes up in /proc")
def test_stopped_three_times_it_comes_to_the_same_table_and_repeats_no_run(
    tmp_path: Path, one_process: None
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    plan = Plan([*OPTIONS, f"runs_dir={whole}", "compare.workers=1"])
    Comparison(plan, ["seqnorm-compare"]).carry_out()
    assert len(results(whole)) == RUNS

    seen: dict[str, tuple[int, bytes]] = {}
    for how in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        stop_after(stopped, 1, how)
        now = results(stopped)
        assert len(now) > len(seen) and seen.items() <= now.items()
        seen = now
    last = start(stopped, "compare.workers=2")
    out, _ = last.communicate(timeout=300)
    assert last.returncode == 0, out
    assert seen.items() <= results(stopped).items()
    assert results(stopped).keys() == results(whole).keys()
    folders = {path.name for path in stopped.iterdir() if path.is_dir() and path.name != ".log"}
    assert folders == results(whole).keys()  # what an interrupted run left is gone
    assert (stopped / "table.md").read_bytes() == (whole / "table.md").read_bytes()
    check_the_protocol(stopped)


def check_the_protocol(runs: Path) -> None:
    plan = Plan([*OPTIONS, f"runs_dir={runs}"])
    trials = list(plan.trials())
    trials += plan.finals(finalists(trials, 1))
    assert len(trials) == 6
    for job in trials:
        assert record_of(job).result.trial
        files = {path.name for path in job.folder.iterdir()}
        assert not files & {"predictions.npz", "model.keras"}
    tests = list(plan.tests(choose(trials)))
    assert all((job.folder / "predictions.npz").exists() for job in tests)
    command = (tests[0].folder / "environment.json").read_text()
    assert "experiment=smoke" in command and "compare.trials=2" in command
    before = results(runs)
    assert Comparison(plan, ["seqnorm-compare"]).carry_out() == (runs / "table.md").read_text()
    assert results(runs) == before  # nothing was missing, nothing was run
    page = write_report([runs], pictures=False).path.read_text(encoding="utf-8")
    assert "What tuning buys" in page and "seqnorm.lab.comparison" not in page


def test_a_run_that_fails_ends_it_with_its_reason(tmp_path: Path) -> None:
    options = [*OPTIONS, f"runs_dir={tmp_path}", "data=reuters", f"data.dir={tmp_path / 'nowhere'}"]
    plan = Plan([*options[1:], "compare.floors=0", "compare.workers=1"])
    with pytest.raises(UserError, match=r"norm=none trial 1 seed=1000 failed, .*nowhere"):
        Comparison(plan, ["seqnorm-compare"]).carry_out()


def test_an_arm_that_cannot_be_built_leaves_the_others_to_be_made(
    tmp_path: Path, one_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also with choices of one's own; seven groups do not divide sixteen features."""
    (tmp_path / "mine" / "norm").mkdir(parents=True)
    own = "defaults:\n  - group\n  - _self_\ngroups: 7\n"
    (tmp_path / "mine" / "norm" / "seven.yaml").write_text(own)
    arms = "compare.arms=['norm=seven,none']"
    options = [
        arms, "compare.trials=1", "compare.finalists=0", "compare.floors=0", "compare.workers=1",
        f"runs_dir={tmp_path / 'runs'}", "--config-dir", str(tmp_path / "mine"),
    ]  # fmt: skip
    assert main([*OPTIONS, *options]) == 1
    out, err = capsys.readouterr()
    assert "norm=seven trial 1 seed=1000: the arm is given up, the others go on" in out
    assert "seqnorm-compare: the arm 'norm=seven' is missing: " in err and "groups=7" in err
    runs = results(tmp_path / "runs")
    assert len(runs) == 2 and all("-none-" in name for name in runs)
    table = (tmp_path / "runs" / "table.md").read_text()
    assert "none" in table and "seven" not in table


def test_settings_that_are_one_run_are_run_once(tmp_path: Path, one_process: None) -> None:
    """An arm without a norm has no gain: where only the gain is searched, its trials are equal."""
    options = ["compare.arms=['norm=none']", "compare.trials=3", "compare.seeds=1"]
    plan = Plan(
        [
            *OPTIONS, *options, f"runs_dir={tmp_path}", "compare.floors=0", "compare.workers=1",
            "compare.finalists=0", "~compare.space.learning_rate", "~compare.space.dropout",
        ]
    )  # fmt: skip
    Comparison(plan, ["seqnorm-compare"]).carry_out()
    assert len(list(plan.trials())) == 3 and len(results(tmp_path)) == 1 + 1


def test_two_commands_do_not_work_on_one_comparison(tmp_path: Path) -> None:
    from filelock import FileLock

    plan = Plan([*OPTIONS, f"runs_dir={tmp_path}"])
    with FileLock(tmp_path / ".lock"), pytest.raises(UserError, match=r"another one is at work"):
        Comparison(plan, ["seqnorm-compare"]).carry_out()


@exhaustive
def test_a_comparison_goes_on_and_grows_and_repeats_nothing(
    tmp_path: Path, one_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has stopped goes on; more trials, more seeds and another arm each add their own runs."""
    small = [
        *OPTIONS, f"runs_dir={tmp_path}", "compare.workers=1", "compare.arms=['norm=none']",
        "compare.trials=1",
    ]  # fmt: skip
    with monkeypatch.context() as patch:
        make = Local.make

        def gone(order: Order) -> Outcome:
            if results(tmp_path):
                raise UserError("the worker is gone")
            return make(order)

        patch.setattr(Local, "make", staticmethod(gone))
        with pytest.raises(UserError, match="the worker is gone"):
            Comparison(Plan(small), ["seqnorm-compare"]).carry_out()
    seen = results(tmp_path)
    assert len(seen) == 1
    # Of the floor, a trial twice and a run what is missing; then a trial, more of it if it is the
    # better one; then a seed.
    for options, least, most in (
        ([], 3, 3),
        (["compare.trials=2"], 1, 3),
        (["compare.trials=2", "compare.seeds=2"], 1, 1),
        (["compare.trials=2", "compare.seeds=2", "compare.arms=['norm=layer']"], 5, 5),
        (["compare.trials=2", "compare.seeds=2", "compare.arms=['norm=none,layer']"], 0, 0),
    ):
        text = Comparison(Plan([*small, *options]), ["seqnorm-compare"]).carry_out()
        now = results(tmp_path)
        assert seen.items() <= now.items(), "a finished run was made again"
        assert least <= len(now) - len(seen) <= most, options
        seen = now
    for name, message in (
        ("compare.arms=['cell=lstm norm=none']", r"received the arm 'cell=lstm norm=none', and .* "
         r"was made as 'norm=none'\. Spell it as before"),
        ("compare.name=other", r"received compare\.name 'other', and .* was made as 'small'"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=message):
            Comparison(Plan([*small, "compare.trials=2", name]), ["seqnorm-compare"]).carry_out()
    assert results(tmp_path) == now
    ((comparison, _),) = collect([tmp_path]).comparisons
    arms = {arm.label: (len(arm.runs), len(arm_trials(arm))) for arm in comparison.arms}
    assert arms == {"lstm none": (2, 2), "lstm layer": (2, 2), "bag of words": (1, 0)}
    for label in arms:
        assert f"| {label} " in text
