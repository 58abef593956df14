"""Validation between the ends of epochs, where a run has few of them: points of the curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from seqnorm.lab.tasks import Evaluation
from seqnorm.lab.tasks.carrying import carriers
from seqnorm.lab.tracking.sink import Sink
from seqnorm.lab.training.clock import Clock

EVENT = "validation"


class Between(keras.callbacks.Callback):
    """Sends "validation" records to a sink; neither training nor the choice of an epoch changes.

    The last step of an epoch has its record already.

    Args:
        clock: where the run stands; what is spent here is no time of training.
        sink: where records go.
        model: what is validated. States that it carries from batch to batch are put back.
        evaluate: what the model is worth on the validation part.
        every: steps between two records; 0 for none.
    """

    def __init__(
        self,
        clock: Clock,
        sink: Sink,
        model: keras.Model,
        evaluate: Callable[[], Evaluation],
        every: int,
    ) -> None:
        super().__init__()
        self.clock, self.sink, self.every, self.evaluate = clock, sink, every, evaluate
        self._states = [each for layer in carriers(model) for each in layer.states or ()]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Validates every so many steps."""
        at_end = self.clock.batch == len(self.clock.batches)
        if not self.every or at_end or not self.clock.due(self.every):
            return
        with self.clock.excluded():
            carried = [keras.ops.convert_to_numpy(each) for each in self._states]
            found = self.evaluate()
            for state, value in zip(self._states, carried, strict=True):
                state.assign(value)
        values = {f"val_{name}": value for name, value in found.scores.items()}
        loss = {} if found.loss is None else {"val_loss": found.loss}
        self.sink.log(EVENT, self.clock.step, {**self.clock.when(), **loss, **values})
