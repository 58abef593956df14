"""The step of training that several devices make together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.data.spec import PAD, Dataset
from seqnorm.lab.models.classifier import recurrent_layers
from seqnorm.lab.tasks import Task
from seqnorm.lab.training.backend import dense
from seqnorm.lab.training.replicas.strategy import Replicas
from seqnorm.layers import NormRNN


class Agreement:
    """Whether a process is asked to end, as all of them learn it in the same step.

    Attributes:
        asked: 1 if this process is.
        agreed: above 0 if any was when the step that has ended last began.
    """

    def __init__(self) -> None:
        self.asked, self.agreed = tf.Variable(0.0), tf.Variable(0.0)


class ReplicaTrainer(keras.Model):
    """A model whose training step is shared by replicas; all else runs on one device.

    Each replica reads its rows. What they answer is gathered, so that the loss is that of the whole
    batch, whatever the loss is; each takes the gradient with respect to its own answers, and the
    sum over replicas is the gradient of one device. The optimiser sees that sum, so that it clips
    what one device would clip. Metrics see all answers.

    Keras's own way, `fit` of a model that was made in the scope, knows no second process and no
    inputs of bools (see findings), and clips each replica's gradient by itself.

    Args:
        replicas: with a strategy, in whose scope the layers and the optimiser were made.
        steps: every batch is padded to so many steps, and the recurrent layers are unrolled; None
            leaves both as they are. Batch statistics of all replicas need it: replicas cannot meet
            in TensorFlow's loops.
        every_step: whether there is an answer at each step, of which those in such padding are
            left out.
        **kwargs: `inputs` and `outputs`, of layers that were made before.

    Attributes:
        agreement: what the processes have told each other.

    Raises:
        ValueError: if a layer adds a loss of its own, which would not be shared out.
    """

    def __init__(
        self, replicas: Replicas, steps: int | None, every_step: bool, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.replicas, self.steps, self.every_step = replicas, steps, every_step
        self.agreement = Agreement()
        own = [each.path for each in self.trainable_variables if each.regularizer is not None]
        own += [each.name for each in self.layers if each.activity_regularizer is not None]
        if own:
            raise ValueError(
                "train.strategy shares out the loss of the task alone; received regularisers of "
                f"{', '.join(own)}. Leave them out, or train with train.strategy=none."
            )

    def train_step(self, data: Any) -> Any:
        """One step on a batch (x, y)."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        # Traced here, where there is one replica: Keras divides a loss by how many it finds.
        loss_of = tf.function(self._loss_of).get_concrete_function(
            tf.TensorSpec(y.shape, y.dtype), tf.TensorSpec(self.output.shape, self.output.dtype)
        )
        strategy = self.replicas.strategy
        with unrolled(recurrent_layers(self) if self.steps else ()):
            shares = strategy.run(lambda: self._share(x, y, loss_of))
        loss, answers, asked, *gradients = strategy.experimental_local_results(shares)[0]
        self.agreement.agreed.assign(asked)
        self.optimizer.apply(gradients, self.trainable_variables)
        (mean_loss,) = (each for each in self.metrics if each.name == "loss")
        mean_loss.update_state(loss, sample_weight=tf.shape(x)[0])
        return self.compute_metrics(x, y, answers)

    def _loss_of(self, y: Any, answers: Any) -> tuple[Any, Any]:
        """The loss of a whole batch, and its gradient with respect to the answers."""
        with tf.GradientTape() as tape:
            tape.watch(answers)
            loss = self.compute_loss(y=y, y_pred=answers)
            scaled = self.optimizer.scale_loss(loss)
        return loss, tape.gradient(scaled, answers)

    def _share(self, x: Any, y: Any, loss_of: Any) -> tuple[Any, ...]:
        """What one replica does: loss, answers, flag and gradients are the same on all of them."""
        context = tf.distribute.get_replica_context()
        number = context.replica_id_in_sync_group
        rows, replicas = tf.shape(x)[0], self.replicas.count
        first, last = begin(rows, number, replicas), begin(rows, number + 1, replicas)
        seeds = [each for each in self.variables if each.path.endswith("seed_generator_state")]
        with _drawn_apart(seeds, number), tf.GradientTape() as tape:
            own = self._answers(x[first:last])
        answers = context.all_gather(own, axis=0)
        answers.set_shape([None, *own.shape[1:]])
        loss, slopes = loss_of(y, answers)
        gradients = tape.gradient(
            own, [each.value for each in self.trainable_variables], slopes[first:last]
        )
        summed = context.all_reduce(
            tf.distribute.ReduceOp.SUM,
            [self.agreement.asked.read_value(), *map(dense, gradients)],
        )
        return loss, answers, *summed

    def _answers(self, x: Any) -> Any:
        if self.steps is None:
            return self(x, training=True)
        steps = tf.shape(x)[1]
        answers = self(padded(x, self.steps), training=True)
        return answers[:, :steps] if self.every_step else answers


def trainer_of(
    model: keras.Model, config: RunConfig, task: Task, dataset: Dataset, replicas: Replicas
) -> keras.Model:
    """A model of its own over the same layers, to be compiled."""
    if not replicas.strategy:
        return keras.Model(model.inputs, model.outputs)
    steps = None
    together = getattr(config.norm, "synchronized", False) and replicas.count > 1
    if together and recurrent_layers(model):
        steps = int(dataset.train.sequences.lengths.max())
        if replicas.is_chief:
            print(
                f"norm.synchronized=true: {steps} steps of a row are written out, which takes "
                "about a second each for every device",
                flush=True,
            )
    return ReplicaTrainer(
        replicas, steps, task.every_step, inputs=model.input, outputs=model.output
    )


def begin(rows: Any, replica: Any, replicas: int) -> Any:
    """The first row of a replica: shares are equal to within one row, the first ones larger."""
    return -(-rows * replica // replicas)


def padded(x: Any, steps: int) -> Any:
    """A batch [B, T, ...] with more padding on the right, [B, steps, ...]."""
    missing = [[0, 0], [0, steps - tf.shape(x)[1]], *[[0, 0]] * (x.shape.rank - 2)]
    x = tf.pad(x, missing, constant_values=np.nan if x.dtype.is_floating else PAD)
    x.set_shape([None, steps, *x.shape[2:]])
    return x


@contextmanager
def unrolled(layers: Sequence[NormRNN]) -> Iterator[None]:
    """Has layers write their steps out one after the other while a graph is traced."""
    before = [layer.unroll for layer in layers]
    for layer in layers:
        layer.unroll = True
    try:
        yield
    finally:
        for layer, unroll in zip(layers, before, strict=True):
            layer.unroll = unroll


@contextmanager
def _drawn_apart(seeds: Sequence[keras.Variable], number: Any) -> Iterator[None]:
    """Has each replica draw other numbers (dropout), with states that stay the same on all."""
    apart = [number, 0]
    for each in seeds:
        each.assign(each + tf.cast(apart, each.dtype))
    yield
    for each in seeds:
        each.assign(each - tf.cast(apart, each.dtype))
