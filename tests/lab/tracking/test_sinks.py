"""JSON lines, the bundle of sinks, and what a config asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqnorm.lab.config.schema import TrackingConfig
from seqnorm.lab.errors import UserError
from seqnorm.lab.tracking import JsonlSink, MultiSink, Sink, WandbSink, make_sinks


class RecordingSink(Sink):
    """Keeps the calls it received; can be told to fail when closed."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.failure = failure

    def start(
        self, config: dict[str, Any], name: str, folder: Path, since: Any | None = None
    ) -> None:
        self.calls.append(("start", config, name, folder))

    def log(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        self.calls.append(("log", event, step, dict(values)))

    def arrays(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        self.calls.append(("arrays", step, sorted(arrays)))

    def table(self, name: str, columns: Any, rows: Any) -> None:
        self.calls.append(("table", name, columns, rows))

    def summary(self, values: Mapping[str, Any]) -> None:
        self.calls.append(("summary", dict(values)))

    def close(self, exit_code: int = 0) -> None:
        self.calls.append(("close", exit_code))
        if self.failure is not None:
            raise self.failure


def lines(folder: Path) -> list[dict[str, Any]]:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    text = (folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_jsonl_is_strict_json_and_flushed_at_once(tmp_path: Path) -> None:
    sink = JsonlSink()
    sink.start({}, "run", tmp_path)
    loss = np.random.default_rng(0).normal()
    sink.log("train", np.int64(7), {"loss": loss, "epoch": 1, "seconds": np.float32(0.5)})  # type: ignore[arg-type]
    assert lines(tmp_path) == [
        {"event": "train", "step": 7, "loss": loss, "epoch": 1, "seconds": 0.5}
    ]
    sink.close()


@pytest.mark.parametrize(("value", "name"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_jsonl_names_nonfinite_values(tmp_path: Path, value: float, name: str) -> None:
    sink = JsonlSink()
    sink.start({}, "run", tmp_path)
    sink.log("train", 1, {"loss": np.float32(value), "gradient_norm": 2.0})
    sink.close()
    assert lines(tmp_path) == [
        {
            "event": "train",
            "step": 1,
            "loss": None,
            "loss_nonfinite": name,
            "gradient_norm": 2.0,
        }
    ]


def test_jsonl_takes_zero_dimensional_arrays_of_any_float(tmp_path: Path) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    sink = JsonlSink()
    sink.start({}, "run", tmp_path)
    half = np.array(1.5, dtype=ml_dtypes.bfloat16)
    sink.log("train", 1, {"a": half, "b": np.array(True), "c": None, "d": "text"})
    sink.close()
    (record,) = lines(tmp_path)
    assert (record["a"], record["b"], record["c"], record["d"]) == (1.5, True, None, "text")


def test_jsonl_refuses_what_is_no_scalar(tmp_path: Path) -> None:
    sink = JsonlSink()
    sink.start({}, "run", tmp_path)
    with pytest.raises(TypeError, match=r"must be a scalar.*loss=.*Sink\.arrays"):
        sink.log("train", 1, {"loss": np.zeros(2)})
    with pytest.raises(ValueError, match=r"received values with step"):
        sink.log("train", 1, {"step": 2})
    sink.close()
    assert lines(tmp_path) == []


def test_jsonl_needs_a_folder_and_a_start(tmp_path: Path) -> None:
    sink = JsonlSink()
    with pytest.raises(RuntimeError, match=r"before start.*event='train', step=1"):
        sink.log("train", 1, {})
    with pytest.raises(FileNotFoundError, match=r"existing run folder; received folder=.*nowhere"):
        sink.start({}, "run", tmp_path / "nowhere")
    sink.close()


def test_multi_sink_passes_everything_on_in_order(tmp_path: Path) -> None:
    sinks = [RecordingSink(), RecordingSink()]
    with MultiSink(sinks) as multi:
        multi.start({"seed": 1}, "run", tmp_path)
        multi.log("train", 1, {"loss": 2.0})
        multi.arrays(1, {"rows": np.arange(3)})
        multi.table("mistakes", ("text",), [("a b",)])
        multi.summary({"status": "completed"})
    expected = [
        ("start", {"seed": 1}, "run", tmp_path),
        ("log", "train", 1, {"loss": 2.0}),
        ("arrays", 1, ["rows"]),
        ("table", "mistakes", ("text",), [("a b",)]),
        ("summary", {"status": "completed"}),
        ("close", 0),
    ]
    assert sinks[0].calls == sinks[1].calls == expected


def test_a_mirror_that_fails_ends_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(RecordingSink):
        def log(self, event: str, step: int, values: Mapping[str, Any]) -> None:
            raise OSError("the service is gone")

    record, third = RecordingSink(), RecordingSink()
    mirror = Broken(OSError("and cannot be closed"))
    with MultiSink([record, mirror, third]) as multi:
        multi.start({}, "run", tmp_path)
        for step in (1, 2):
            multi.log("train", step, {"loss": 2.0})
        multi.summary({"status": "completed"})
    assert record.calls == third.calls and len(record.calls) == 5
    assert [call[0] for call in mirror.calls] == ["start", "close"]
    message = capsys.readouterr().err
    assert message.count("the service is gone") == 1 and "whose record is its folder" in message
    with pytest.raises(OSError, match="the service is gone"):
        MultiSink([Broken(), record]).log("train", 1, {})  # the record itself


def test_a_mirror_that_has_started_before_ends_no_later_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Moody(RecordingSink):
        def start(self, config: Any, name: str, folder: Path, since: Any | None = None) -> None:
            if name == "bad":
                raise UserError("no answer")
            super().start(config, name, folder)

    first, later = Moody(), Moody()
    with pytest.raises(UserError, match="no answer"), MultiSink([JsonlSink(), Moody()]) as sinks:
        sinks.start({}, "bad", tmp_path)  # as if nobody were logged in
    with MultiSink([JsonlSink(), first]) as sinks:
        sinks.start({}, "good", tmp_path)
    with MultiSink([JsonlSink(), later]) as sinks:
        sinks.start({}, "bad", tmp_path)
        sinks.log("train", 1, {"loss": 0.5})
    assert [call[0] for call in first.calls] == ["start", "close"]
    assert [call[0] for call in later.calls] == ["close"]
    assert "Moody failed and gets no more of this run" in capsys.readouterr().err


def test_multi_sink_closes_all_even_if_some_fail(capsys: pytest.CaptureFixture[str]) -> None:
    sinks = [RecordingSink(OSError("first")), RecordingSink(), RecordingSink(OSError("third"))]
    with pytest.raises(OSError, match="first"):  # the record
        MultiSink(sinks).close(0)
    assert all(sink.calls == [("close", 0)] for sink in sinks)
    assert "third" in capsys.readouterr().err
    MultiSink(sinks[1:]).close(0)  # a mirror that cannot be closed ends no finished run


def test_multi_sink_keeps_the_error_that_ended_the_run() -> None:
    sinks = [RecordingSink(OSError("disk full")), RecordingSink()]
    with pytest.raises(KeyboardInterrupt) as caught, MultiSink(sinks):
        raise KeyboardInterrupt
    assert all(sink.calls == [("close", 1)] for sink in sinks)
    assert "disk full" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("config", "kinds"),
    [
        (TrackingConfig(name="local"), [JsonlSink]),
        (TrackingConfig(name="wandb", mode="offline"), [JsonlSink, WandbSink]),
        (TrackingConfig(name="wandb", mode="disabled"), [JsonlSink]),
    ],
)
def test_make_sinks(config: TrackingConfig, kinds: list[type[Sink]]) -> None:
    assert [type(sink) for sink in make_sinks(config).sinks] == kinds


def test_make_sinks_passes_every_setting_on() -> None:
    config = TrackingConfig(
        name="wandb", mode="offline", project="p", entity="e", group="g", tags=["t"]
    )
    sink = make_sinks(config, "s", "a").sinks[1]
    assert isinstance(sink, WandbSink)
    settings = (sink.mode, sink.project, sink.entity, sink.group, sink.arm, sink.tags)
    assert settings == ("offline", "p", "e", "g", "a", ["t"])


def test_make_sinks_lists_the_choices() -> None:
    with pytest.raises(ValueError, match=r"one of local, wandb; received tracking\.name='wand'"):
        make_sinks(TrackingConfig(name="wand"))
    with pytest.raises(ValueError, match=r"online, offline; received mode='on'"):
        make_sinks(TrackingConfig(name="wandb", mode="on"))


def test_local_tracking_imports_neither_wandb_nor_tensorflow() -> None:
    program = (
        "import sys\n"
        "from seqnorm.lab.tracking import make_sinks\n"
        "from seqnorm.lab.config.schema import TrackingConfig\n"
        "make_sinks(TrackingConfig(name='local'))\n"
        "make_sinks(TrackingConfig(name='wandb', mode='disabled'))\n"
        "print([m for m in ('wandb', 'tensorflow', 'keras') if m in sys.modules])\n"
    )
    root = Path(__file__).parents[3]
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    assert result.stdout.strip() == "[]"


def test_a_run_that_goes_on_records_each_step_once_and_mirrors_are_not_told_twice(tmp_path):
    """The record gives up what came after the save; a mirror cannot, and hears of later steps."""
    first = MultiSink([JsonlSink(), RecordingSink()])
    first.start({}, "run", tmp_path)
    first.log("train", 1, {"loss": 3.0})
    saved = first.state()
    for step in (2, 3):
        first.log("train", step, {"loss": 2.0})
    first.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"event": "train", "st')  # killed while it wrote

    mirror = RecordingSink()
    second = MultiSink([JsonlSink(), mirror])
    second.start({}, "run", tmp_path, saved)
    for step in (2, 3, 4):
        second.log("train", step, {"loss": 2.0})
        second.arrays(step, {"mean": np.zeros(2)})
    second.close()
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3, 4]
    assert [call[1] for call in mirror.calls if call[0] == "arrays"] == [4]
    assert [call[2] for call in mirror.calls if call[0] == "log"] == [4]
