"""Looking into the recurrence while it trains, without touching it.

A probe runs the model on a fixed batch as at inference (no dropout, running statistics) and reads,
for each recurrent layer and step t,

- mean and spread of the pre-activations that enter each normaliser, over features and the rows that
  are still alive at t;
- for batch normalisation the distance of the batch's mean from the running one in units of the
  running spread, ``‖μ_B - μ‖ / ‖σ‖`` over the features (Cooijmans et al., 2016, section 4, on how
  statistics settle as t grows);
- ``‖dL_b / dh_t‖``, the norm of the gradient of a row's loss with respect to the state, through all
  later steps, averaged over the rows alive.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from seqnorm.lab.data.spec import Split, present
from seqnorm.lab.models.classifier import recurrent_layers
from seqnorm.lab.tracking.sink import Sink
from seqnorm.lab.training.backend import compiled_gradient
from seqnorm.lab.training.clock import Clock
from seqnorm.ops.moments import Moments

Arrays = dict[str, NDArray]


def probe_batch(split: Split, rows: int) -> tuple[NDArray, NDArray]:
    """Rows of every length that the split has, evenly from the shortest to the longest.

    So the number of rows that are still alive falls with the step as it does in the whole split:
    what few rows do to batch statistics is in the picture.

    Returns:
        A batch of it, see `Split.batch`; fewer than `rows` rows if the split has no more.
    """
    by_length = np.argsort(split.sequences.lengths, kind="stable")
    even = np.linspace(0, len(by_length) - 1, min(rows, len(by_length))).round().astype(int)
    chosen = by_length[even]
    return split.batch(chosen)


class Prober:
    """Reads a model's recurrent layers on one batch.

    Args:
        model: with recurrent layers, as `seqnorm.lab.models.classifier` builds it.
        tokens: int32[B, T] or float32[B, T, F], padded on the right.
        targets: what is right, [B, ...].
        loss: of targets and answers, a mean over rows.
        weights_of: a twin whose weights the model takes at each reading; None, or the model
            itself, reads the weights that it has.
    """

    def __init__(
        self,
        model: keras.Model,
        tokens: NDArray,
        targets: NDArray,
        loss: keras.losses.Loss,
        weights_of: keras.Model | None = None,
    ) -> None:
        self.model, self.weights_of = model, weights_of
        self.layers = recurrent_layers(model)
        self.tokens, self.targets, self.loss = tokens, targets, loss
        self._gradient = compiled_gradient(self._observed_loss)

    def read(self) -> Arrays:
        """What was measured, float64[T] by name (``<layer>/<site>/mean``...), and rows, int[T].

        Step t counts from where the layer starts: a backward one from the last token of each row.
        Changes no weight, no statistic and no random state.
        """
        if self.weights_of not in (None, self.model):
            self.model.set_weights(self.weights_of.get_weights())
        rows, steps = self.tokens.shape[:2]
        zeros = [ops.zeros((steps, rows, layer.cell.units)) for layer in self.layers]
        batch = ops.convert_to_tensor(self.tokens), ops.convert_to_tensor(self.targets)
        gradients, seen = self._gradient(zeros, batch)
        alive = present(self.tokens).sum(axis=0)  # right-padded, so the same in both directions
        arrays: Arrays = {"rows": alive}
        with np.errstate(all="ignore"):  # a network about to diverge holds infinities
            for layer, gradient, sites in zip(self.layers, gradients, seen, strict=True):
                # The loss is a mean over rows; each row's own gradient is B times its share.
                norms = np.linalg.norm(np.asarray(gradient, np.float64), axis=-1) * rows
                arrays[f"{layer.name}/gradient_norm"] = norms.sum(axis=1) / alive
                for site, moments in sites.items():
                    measured = _site_arrays(layer.cells[0].normalizers[site], moments)
                    for name, values in measured.items():
                        arrays[f"{layer.name}/{site}/{name}"] = values
        return arrays

    def _observed_loss(self, perturbations: list[Any], batch: Any) -> tuple[Any, Any]:
        tokens, targets = batch
        with ExitStack() as stack:
            seen = [
                stack.enter_context(layer.observing(perturbation))
                for layer, perturbation in zip(self.layers, perturbations, strict=True)
            ]
            answers = self.model(tokens, training=False)
        return self.loss(targets, answers), [cells[0] for cells in seen]


def scalars(arrays: Arrays) -> dict[str, float]:
    """One number for each array: its mean over all tokens, so that crowded steps weigh more."""
    return {
        name: float(np.average(values, weights=arrays["rows"]))
        for name, values in arrays.items()
        if name != "rows"
    }


def _site_arrays(normalizer: Any, moments: Moments) -> Arrays:
    """Moments [T, 1, F] of one site to arrays [T]."""
    mean = np.asarray(moments.mean, np.float64)[:, 0]  # [T, F]
    variance = np.asarray(moments.variance, np.float64)[:, 0]
    arrays = {
        "mean": mean.mean(axis=-1),
        # The variance over rows and features together.
        "spread": np.sqrt(variance.mean(axis=-1) + mean.var(axis=-1)),
    }
    if normalizer.time_aware:
        row = normalizer.trusted_row(np.arange(len(mean), dtype="int32"))
        running = normalizer.running(row)
        difference = mean - np.asarray(running.mean)
        # ε as in the normaliser itself: all texts begin with START, so the first variance is 0.
        scale = np.sqrt((np.asarray(running.variance) + normalizer.epsilon).sum(axis=-1))
        arrays["distance"] = np.linalg.norm(difference, axis=-1) / scale
    return arrays


class Probe(keras.callbacks.Callback):
    """Reads every `every` steps and at each epoch's end, and sends what it read to the sinks.

    Args:
        clock: where the run stands.
        sink: where records go.
        prober: what is read.
        every: steps between two readings.

    Attributes:
        last: arrays of the last reading; empty before the first.
    """

    def __init__(self, clock: Clock, sink: Sink, prober: Prober, every: int) -> None:
        super().__init__()
        self.clock, self.sink, self.prober, self.every = clock, sink, prober, every
        self.last: Arrays = {}
        self._read_at = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Reads if it is time to."""
        if self.clock.due(self.every):
            with self.clock.excluded():
                self._read()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Reads unless the last step already did."""
        if self._read_at != self.clock.step:
            self._read()

    def state(self) -> dict[str, Any]:
        """The last reading."""
        return {"last": self.last, "read_at": self._read_at}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from there."""
        self.last, self._read_at = state["last"], state["read_at"]

    def _read(self) -> None:
        self._read_at = self.clock.step
        self.last = self.prober.read()
        self.sink.log("probe", self.clock.step, {**self.clock.when(), **scalars(self.last)})
        self.sink.arrays(self.clock.step, self.last)
