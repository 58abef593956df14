"""The twin of a model whose recurrent layers go on where the batch before ended."""

from __future__ import annotations

from typing import Any

import keras


def carrying(model: keras.Model, rows: int) -> keras.Model:
    """A model with layers and weights of its own, equal to those of `model`, but stateful.

    Args:
        model: built for any number of rows; its recurrent layers start each row anew.
        rows: of every batch that the twin reads.

    Raises:
        ValueError: if the model has no recurrent layer.
    """

    def fixed(each: Any) -> Any:
        return keras.Input(batch_shape=(rows, *each.shape[1:]), dtype=each.dtype, name=each.name)

    inputs = keras.tree.map_structure(fixed, model.input)
    twin: Any = keras.models.clone_model(model, inputs, clone_function=_stateful)
    if not carriers(twin):
        raise ValueError(
            "a carried state needs a model with a layer of keras.layers.RNN; received "
            f"{model.name}, which has none. Leave task.carry_state out."
        )
    twin.set_weights(model.get_weights())
    return twin


def _stateful(layer: keras.layers.Layer) -> keras.layers.Layer:
    config = layer.get_config()
    if isinstance(layer, keras.layers.RNN):
        config["stateful"] = True
    return layer.__class__.from_config(config)


def carriers(model: keras.Model) -> list[keras.layers.RNN]:
    """The layers whose state can be carried."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]


def start_anew(model: keras.Model) -> None:
    """Forgets what the stateful layers of a model have read; does nothing without any."""
    for layer in carriers(model):
        if layer.stateful:
            layer.reset_state()


class StartAnew(keras.callbacks.Callback):
    """Starts each pass through a part of the data anew."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before the training part."""
        start_anew(self.model)

    def on_test_begin(self, logs: Any = None) -> None:
        """Before the validation part."""
        start_anew(self.model)
