"""The optimisation of one model: batches, optimiser, and everything that watches it."""

from __future__ import annotations

import sys
from typing import Any

import keras

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import Dataset
from seqnorm.lab.models.classifier import recurrent_layers
from seqnorm.lab.runs.write import NoFolder, RunFolder
from seqnorm.lab.signals import deferred
from seqnorm.lab.tasks import Task
from seqnorm.lab.tasks.carrying import StartAnew, carriers, carrying, start_anew
from seqnorm.lab.tasks.stream import batches_of, stream, training_batches
from seqnorm.lab.training.between import Between
from seqnorm.lab.training.callbacks import BestEpoch, Diverged, Recorder, StopWhenDiverged
from seqnorm.lab.training.cause import advice, leading_zeros, warning
from seqnorm.lab.training.checkpoint import Checkpoint, Logs, Stateful, distinct
from seqnorm.lab.training.clock import Clock
from seqnorm.lab.training.optim import make_optimizer
from seqnorm.lab.training.probes import Probe, Prober, probe_batch
from seqnorm.lab.training.progress import ProgressBar
from seqnorm.lab.training.replicas.strategy import Replicas
from seqnorm.lab.training.replicas.together import Together
from seqnorm.lab.training.replicas.trainer import trainer_of
from seqnorm.layers.statistics import reestimate


class Training:
    """The optimisation of one model and what watches it.

    Args:
        config: the complete configuration.
        task: what the model has to answer.
        dataset: where batches come from.
        model: the network, for any number of rows; its weights are trained in place.
        folder: of the run, whose sinks records go to, with what it has left if it was stopped.
        replicas: the devices to train on, in whose scope the model was made; None for one.

    Attributes:
        runner: what is trained and evaluated: the model, or its twin that carries states.
        best: the best epoch and its validation score.
        probe: what was probed; None if probing is off, or there is no recurrent layer.
        clock: steps and speed.
        seconds: how long `fit` took.
        paused: whether `fit` ended before training did.

    Raises:
        ValueError: if the task measures no first score while training.
    """

    def __init__(
        self,
        config: RunConfig,
        task: Task,
        dataset: Dataset,
        model: keras.Model,
        folder: RunFolder | NoFolder,
        replicas: Replicas | None = None,
    ) -> None:
        self.config, self.task, self.dataset, self.model = config, task, dataset, model
        self.replicas = replicas or Replicas()
        # Where batches go on, another model with the same weights keeps the states between them.
        rows = config.data.batch_size
        self.runner = carrying(model, rows) if task.carries_state else model
        self.metrics, first = task.metrics(), task.scoring.score
        if first.name not in [metric.name for metric in self.metrics]:
            raise ValueError(
                f"task={task.name} needs a metric with the name of its first score, "
                f"{first.name!r}; received metrics()={[each.name for each in self.metrics]}. Name "
                "one so, as in keras.metrics.MeanAbsoluteError(name=...)."
            )
        self.batches = training_batches(task, dataset.train, config.data, config.seed)
        self.validation = batches_of(task, dataset.validation, rows)
        train = config.train
        total_steps = train.epochs * len(self.batches)
        with self.replicas.scope():
            self.optimizer = make_optimizer(config.optim, total_steps=total_steps)
        self.clock = Clock(self.optimizer, self.batches)
        self.best = BestEpoch(first.name, train.patience, train.keep)
        sink = folder.sinks
        self.probe: Probe | None = None
        if train.probe_every and recurrent_layers(model) and self.replicas.is_chief:
            tokens, labels = probe_batch(dataset.train, train.probe_examples)
            targets = task.targets(tokens, labels)
            prober = Prober(model, tokens, targets, task.loss(), weights_of=self.runner)
            self.probe = Probe(self.clock, sink, prober, train.probe_every)
        # Looked at before training, which may leave weights that are no numbers.
        self.silence = leading_zeros(model, self.batches[0][0])
        if said := warning(self.silence):
            print(f"seqnorm: {said}", file=sys.stderr)
        self.recorder = Recorder(self.clock, sink, train.log_every)
        self.between = Between(
            self.clock, sink, self.runner,
            lambda: task.evaluate(self.runner, dataset, "validation", rows), train.validate_every,
        )  # fmt: skip
        watchers: dict[str, Stateful] = {"best": self.best}
        if self.probe:
            watchers["probe"] = self.probe
        self.checkpoint = Checkpoint(folder, self.clock, watchers, train.save_every)
        self.seconds, self.paused = 0.0, False

    def fit(self, until: int | None = None) -> str | None:
        """Trains until the last epoch or early stopping, and puts the kept epoch's weights back.

        Args:
            until: epochs after which training is paused: it goes on from what it has saved, with
                the schedule of all its epochs; None for no pause.

        Returns:
            None, or why the run diverged.
        """
        trainer = self._trainer()
        next_order = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.batches.on_epoch_end()
        )
        progress = ProgressBar(self.clock, self.config.train.epochs, self.task.scoring.score)
        told = [progress, self.recorder, self.between] if self.replicas.is_chief else []
        together = Together(self.replicas, trainer) if self.replicas.place.processes > 1 else None
        callbacks = [
            self.clock,
            StartAnew(),
            *told,
            StopWhenDiverged(self.clock),
            *([self.probe] if self.probe else []),
            self.best,
            next_order,
            *([together] if together else []),
            self.checkpoint,
        ]
        message = None
        try:
            with self.checkpoint, deferred() as request:
                self.checkpoint.request = together.instead_of(request) if together else request
                self._train(trainer, callbacks, until or self.config.train.epochs)
        except Diverged as diverged:
            message = str(diverged) + advice(self.silence)
        self.seconds = self.clock.seconds
        here = self.checkpoint.position
        self.paused = message is None and not here.ended and here.epoch < self.config.train.epochs
        if self.paused:
            return None
        self.best.put_back(self.runner)
        if self.config.train.reestimate and message is None:
            message = self._reestimate()
        if self.runner is not self.model:
            self.model.set_weights(self.runner.get_weights())
        return message

    def _trainer(self) -> Any:
        # A model of its own over the same layers: what is saved stays free of optimiser and loss.
        trainer: Any = trainer_of(self.runner, self.config, self.task, self.dataset, self.replicas)
        trainer.compile(
            self.optimizer,
            self.task.loss(),
            metrics=self.metrics,
            jit_compile=False,  # XLA would compile anew for every length of a batch
            steps_per_execution=self.config.train.steps_per_execution,
        )
        # Now: TensorFlow traces a step that creates variables a second time.
        with self.replicas.scope():
            self.optimizer.build(trainer.trainable_variables)
        states = [each for layer in carriers(self.runner) for each in layer.states or ()]
        self.checkpoint.variables = distinct(
            [*trainer.variables, *trainer.optimizer.variables, *states]
        )
        return trainer

    def _train(self, trainer: Any, callbacks: list[keras.callbacks.Callback], epochs: int) -> None:
        """The first epochs, or those of them that a stopped run has left."""
        begun = self.checkpoint.position
        self.batches.epoch = begun.epoch
        if begun.trained is not None:
            self._validate(trainer, callbacks, begun.epoch, begun.trained)
        elif begun.batch:
            self._build_metrics(trainer)
            self._fit(trainer, callbacks, begun.epoch, begun.epoch + 1, begun.batch)
        here = self.checkpoint.position
        if here.ended or here.epoch >= epochs:
            self.checkpoint.restore()  # of a run that had only its test left
        else:
            self._fit(trainer, callbacks, here.epoch, epochs)

    def _build_metrics(self, trainer: Any) -> None:
        """Makes the variables of the metrics, which Keras does in the first step: too late here."""
        rows, labels = self.batches[0]
        answers = self.runner(rows, training=False)
        trainer.compute_metrics(rows, self.task.targets(rows, labels), answers)

    def _fit(
        self, trainer: Any, callbacks: list[keras.callbacks.Callback],
        first: int, last: int, batch: int = 0,
    ) -> None:  # fmt: skip
        """Epochs [first, last), the first of them from a batch on."""
        trainer.fit(
            stream(self.batches, self.task.targets, batch),
            validation_data=stream(self.validation, self.task.targets),
            initial_epoch=first,
            epochs=last,
            callbacks=callbacks,
            shuffle=False,  # the order of an epoch is the business of `Batches`
            verbose=0,
        )

    def _validate(
        self, trainer: Any, callbacks: list[keras.callbacks.Callback], epoch: int, trained: Logs
    ) -> None:
        """The end of an epoch that was stopped in its validation, as `fit` has it."""
        listed = keras.callbacks.CallbackList(callbacks, model=trainer)
        trainer.stop_training = False
        listed.on_train_begin()
        listed.on_epoch_begin(epoch)
        found = trainer.evaluate(
            stream(self.validation, self.task.targets),
            callbacks=listed, return_dict=True, verbose=0,
        )  # fmt: skip
        listed.on_epoch_end(epoch, trained | {f"val_{name}": each for name, each in found.items()})
        listed.on_train_end()

    def _reestimate(self) -> str | None:
        start_anew(self.runner)
        reestimate(self.runner, self.batches)
        rows = self.config.data.batch_size
        found = self.task.evaluate(self.runner, self.dataset, "validation", rows)
        if found.fault:
            return f"the validation {found.fault} with re-estimated statistics"
        self.best.score = found.scores[self.task.scoring.score.name]
        return None
