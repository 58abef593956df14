"""Callbacks, driven by hand: losses between records, divergence, the best epoch, the bar."""

from __future__ import annotations

import io
import math
from types import SimpleNamespace

import numpy as np
import pytest

from seqnorm import NormLSTM
from seqnorm.kernels.host.compile import seconds_compiling
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Sequences, Split
from seqnorm.lab.runs.checkpoint import pack, unpacked
from seqnorm.lab.tasks import Classification
from seqnorm.lab.tracking.sink import Sink
from seqnorm.lab.training.callbacks import BestEpoch, Diverged, Recorder, StopWhenDiverged
from seqnorm.lab.training.clock import Clock
from seqnorm.lab.training.progress import ProgressBar

ROWS = [10] * 7 + [6]  # of each batch


class Memory(Sink):
    def __init__(self):
        self.lines = []

    def start(self, config, name, folder, since=None): ...

    def log(self, event, step, values):
        self.lines.append((event, step, dict(values)))

    def arrays(self, step, arrays): ...

    def table(self, name, columns, rows): ...

    def summary(self, values): ...

    def close(self, exit_code=0): ...


@pytest.fixture
def clock() -> Clock:
    optimizer = SimpleNamespace(gradient_norm=2.0, used_rate=0.5)
    texts = [[1] * 10] * 72 + [[1] * 20] * 4  # 800 tokens
    split = Split(Sequences.from_rows(texts), np.zeros(76, np.int32))
    return Clock(optimizer, Batches(split, batch_size=10, shuffle=False, even=False))


def drive(callbacks, losses, epochs=1):
    """Calls the callbacks as Keras does: with means over the rows since the epoch's begin."""
    for epoch in range(epochs):
        for callback in callbacks:
            callback.on_epoch_begin(epoch)
        for batch in range(len(losses)):
            mean = np.average(losses[: batch + 1], weights=ROWS[: batch + 1])
            logs = {"loss": float(mean), "accuracy": 0.5}
            for callback in callbacks:
                callback.on_train_batch_end(batch, logs)


def test_steps_done_together_end_with_the_epoch(clock):
    """Keras counts the steps of `steps_per_execution` on beyond the end."""
    for epoch in range(2):
        clock.on_epoch_begin(epoch)
        for batch in (2, 5, 8):  # three together, of eight
            clock.on_train_batch_end(batch, {"loss": 1.0})
    assert (clock.step, clock.batch) == (16, 8)


def test_an_epoch_s_speed_leaves_out_what_the_kernels_took_to_compile(clock, monkeypatch):
    spent, now = [seconds_compiling()], [100.0]  # of the tests before as well
    monkeypatch.setattr("seqnorm.lab.training.clock.seconds_compiling", lambda: spent[0])
    monkeypatch.setattr("seqnorm.lab.training.clock.time.perf_counter", lambda: now[0])
    clock.on_epoch_begin(0)
    for batch, (seconds, compiling) in enumerate([(40.0, 38.0), (2.0, 0.0)]):
        now[0] += seconds
        spent[0] += compiling
        clock.on_train_batch_end(batch, {"loss": 1.0})
    assert clock.tokens_per_second == pytest.approx(50.0)  # 800 / 8 a step, of two seconds each


def test_recorded_losses_are_those_of_the_steps_in_between(clock, rng):
    sink, losses = Memory(), rng.uniform(0, 2, 8)
    drive([clock, Recorder(clock, sink, log_every=5)], losses, epochs=2)
    assert [step for _, step, _ in sink.lines] == [5, 10, 15]
    recorded = [values["loss"] for _, _, values in sink.lines]
    # Step 10 is the second of the second epoch: what was left of the first is not carried over.
    expected = [losses[:5].mean(), losses[:2].mean(), losses[2:7].mean()]
    np.testing.assert_allclose(recorded, expected, rtol=1e-9)
    assert sink.lines[0][2]["gradient_norm"] == 2.0 and sink.lines[0][2]["learning_rate"] == 0.5


def test_a_batch_counts_by_its_rows(clock):
    sink = Memory()
    drive([clock, Recorder(clock, sink, log_every=4)], [0.7] * 7 + [0.1])
    assert sink.lines[1][2]["loss"] == pytest.approx((3 * 10 * 0.7 + 6 * 0.1) / 36)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_divergence_names_step_and_rate_and_is_recorded(clock, value):
    sink = Memory()
    watchers = [clock, Recorder(clock, sink, log_every=100), StopWhenDiverged(clock)]
    with pytest.raises(Diverged, match=r"loss became (nan|inf) at step 3 .* rate was 0.5"):
        drive(watchers, [1.0, 1.0, value, 1.0])
    assert [step for _, step, _ in sink.lines] == [3]


def test_a_gradient_or_a_validation_loss_that_breaks_is_divergence_too(clock):
    stop = StopWhenDiverged(clock)
    drive([clock, stop], [1.0])
    stop.on_epoch_end(0, {"val_loss": 0.1})
    with pytest.raises(Diverged, match="validation loss became nan"):
        stop.on_epoch_end(0, {"val_loss": math.nan})
    clock.optimizer.gradient_norm = math.inf
    with pytest.raises(Diverged, match="gradient norm became inf at step 2"):
        drive([clock, stop], [1.0])


class Model:
    """Its weights are the number of the epoch."""

    def __init__(self):
        self.stop_training, self.weights = False, 0

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        self.restored = weights


def test_the_last_epoch_can_be_kept_instead():
    model, best = Model(), BestEpoch("accuracy", patience=2, keep="last")
    best.set_model(model)
    for epoch, (accuracy, loss) in enumerate([(0.5, 1.0), (0.8, 0.9), (0.7, 0.95), (0.6, 0.91)]):
        assert not model.stop_training
        model.weights = epoch + 1
        best.on_epoch_end(epoch, {"val_accuracy": accuracy, "val_loss": loss})
    assert model.stop_training and best.epoch == 4 and best.score == 0.6
    best.put_back(model)
    assert model.restored == [4]


def test_best_epoch_has_the_lowest_loss_and_waits():
    model, best = Model(), BestEpoch("accuracy", patience=2)
    best.set_model(model)
    course = [(0.5, 1.0), (0.8, 0.9), (0.7, 0.8), (0.9, 0.85), (0.9, 0.81)]
    for epoch, (accuracy, loss) in enumerate(course):
        model.weights = epoch + 1
        assert not model.stop_training
        best.on_epoch_end(epoch, {"val_accuracy": accuracy, "val_loss": loss})
    assert model.stop_training and best.epoch == 3 and best.score == 0.7
    best.put_back(model)
    assert model.restored == [3]


def test_the_best_epoch_of_before_a_stop_is_put_back():
    """With weights of one number, as `norm=dyt` has, which Keras gives as NumPy's scalars."""
    layer = NormLSTM(2, norm="dyt")
    layer.build((1, 3, 2))
    before, after = (BestEpoch("accuracy", patience=2) for _ in range(2))
    before.set_model(layer)
    before.on_epoch_end(0, {"val_accuracy": 0.5, "val_loss": 1.0})
    best = layer.get_weights()
    layer.set_weights([weight + 1 for weight in best])
    after.restore(unpacked(pack(before.state())))
    after.put_back(layer)
    assert {weight.shape for weight in best} == {(), (2, 8), (8,), (2,)}
    for weight, kept in zip(layer.get_weights(), best, strict=True):
        np.testing.assert_array_equal(weight, kept)


def test_speed_leaves_out_the_first_step_and_what_is_excluded(clock, monkeypatch):
    time = SimpleNamespace(now=0.0)
    monkeypatch.setattr("seqnorm.lab.training.clock.time.perf_counter", lambda: time.now)
    clock.on_train_begin()
    clock.on_epoch_begin(0)
    for batch, seconds in enumerate([60.0, 2.0, 2.0]):
        time.now += seconds
        clock.on_train_batch_end(batch, {"loss": 1.0})
        with clock.excluded():
            time.now += 100.0
    assert clock.seconds == 304.0
    assert clock.tokens_per_second == pytest.approx(3 * 100 / 64)
    assert clock.overall_tokens_per_second == pytest.approx(2 * 100 / 4)


def test_progress_is_a_bar_on_a_terminal_and_a_line_elsewhere(clock):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for file, redraws in ((io.StringIO(), 0), (Terminal(), 1)):
        bar = ProgressBar(clock, 4, Classification.scores[0], file)
        drive([clock, bar], [0.25] * 8)
        logs = {"loss": 0.25, "accuracy": 0.5, "val_loss": 0.75, "val_accuracy": 0.625}
        bar.on_epoch_end(0, logs)
        text = file.getvalue()
        assert text.count("[") >= redraws and text.endswith("\n") and text.count("\n") == 1
        assert "epoch 1/4" in text and "val_accuracy 0.6250" in text and "tokens/s" in text
        assert ("\r" in text) == bool(redraws)
        assert all(len(line) <= 100 for line in text.replace("\x1b[K", "").split("\r"))


def test_progress_counts_steps_where_a_row_has_no_tokens():
    rows = [np.zeros((3, 2), np.float32)] * 8
    split = Split(Sequences.from_rows(rows), np.zeros(8, np.int32))
    clock = Clock(SimpleNamespace(gradient_norm=1.0, used_rate=0.5), Batches(split, batch_size=4))
    bar = ProgressBar(clock, 1, Classification.scores[0], io.StringIO())
    logs = {"loss": 0.25, "accuracy": 0.5, "val_loss": 0.75, "val_accuracy": 0.625}
    bar.on_epoch_end(0, logs)
    assert "k steps/s" in bar.file.getvalue() and "tokens" not in bar.file.getvalue()
