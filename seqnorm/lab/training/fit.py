"""The optimisation of one model: batches, optimiser, and everything that watches it."""

from __future__ import annotations

from typing import Any

import keras

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.batching import Batches
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.models.classifier import recurrent_layers
from seqnorm.lab.tracking.sink import Sink
from seqnorm.lab.training.backend import stream
from seqnorm.lab.training.cause import advice, leading_zeros
from seqnorm.lab.training.evaluate import batches_of, evaluate
from seqnorm.lab.training.optim import make_optimizer
from seqnorm.lab.training.probes import Probe, Prober, probe_batch
from seqnorm.lab.training.progress import ProgressBar
from seqnorm.lab.training.pulse import Pulse
from seqnorm.lab.training.watch import BestEpoch, Diverged, Recorder, StopWhenDiverged
from seqnorm.layers.statistics import reestimate


class Training:
    """The optimisation of one model and what watches it.

    Args:
        config: the complete configuration.
        dataset: where batches come from.
        model: the classifier; its weights are trained in place.
        sink: where records go.

    Attributes:
        best: the best epoch and its validation accuracy.
        probe: what was probed; None if probing is off, or there is no recurrent layer.
        pulse: steps and speed.
        seconds: how long `fit` took.
    """

    def __init__(self, config: RunConfig, dataset: Dataset, model: keras.Model, sink: Sink) -> None:
        self.config, self.model = config, model
        self.batches = Batches.configured(dataset.train, config.data, config.seed)
        self.validation = batches_of(dataset.validation, config.data.batch_size)
        train = config.train
        total_steps = train.epochs * len(self.batches)
        self.optimizer = make_optimizer(config.optim, total_steps=total_steps)
        self.pulse = Pulse(self.optimizer, self.batches)
        self.best = BestEpoch(train.patience, train.keep)
        self.probe: Probe | None = None
        if train.probe_every and recurrent_layers(model):
            prober = Prober(model, *probe_batch(dataset.train, train.probe_examples))
            self.probe = Probe(self.pulse, sink, prober, train.probe_every)
        # Looked at before training, which may leave weights that are no numbers.
        self.silence = leading_zeros(model, self.batches[0][0])
        self.recorder = Recorder(self.pulse, sink, train.log_every)
        self.seconds = 0.0

    def fit(self) -> str | None:
        """Trains until the last epoch or early stopping, and puts the kept epoch's weights back.

        Returns:
            None, or why the run diverged.
        """
        # A model of its own over the same layers: what is saved stays free of optimiser and loss.
        trainer: Any = keras.Model(self.model.inputs, self.model.outputs)
        trainer.compile(
            self.optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            jit_compile=False,  # XLA would compile anew for every length of a batch
            steps_per_execution=self.config.train.steps_per_execution,
        )
        # Now: TensorFlow traces a step that creates variables a second time.
        self.optimizer.build(trainer.trainable_variables)
        next_order = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.batches.on_epoch_end()
        )
        callbacks = [
            self.pulse,
            ProgressBar(self.pulse, self.config.train.epochs),
            self.recorder,
            StopWhenDiverged(self.pulse),
            *([self.probe] if self.probe else []),
            self.best,
            next_order,
        ]
        message = None
        try:
            trainer.fit(
                stream(self.batches),
                validation_data=stream(self.validation),
                epochs=self.config.train.epochs,
                callbacks=callbacks,
                shuffle=False,  # the order of an epoch is the business of `Batches`
                verbose=0,
            )
        except Diverged as diverged:
            message = str(diverged) + advice(self.silence)
        self.seconds = self.pulse.seconds
        self.best.restore(self.model)
        if self.config.train.reestimate and message is None:
            reestimate(self.model, self.batches)
            scores = evaluate(self.model, self.validation.split, self.config.data.batch_size)
            if scores.broken:
                return f"the validation loss became {scores.loss} with re-estimated statistics"
            self.best.accuracy = scores.accuracy
        return message
