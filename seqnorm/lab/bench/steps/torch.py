"""Steps on torch, and those of its own layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from seqnorm.kernels import CELLS as KERNELS
from seqnorm.lab.bench.shapes import Shape, Step, batch_of, factors_of, model_of

OWN = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}


def fit(layer: Any, shape: Shape, jit: bool) -> Step:
    """One training step of a compiled Keras model."""
    x, alive, target = map(torch.from_numpy, batch_of(shape))
    model = model_of(layer, shape)
    model.compile("sgd", "mse", jit_compile=jit)
    model.make_train_function()
    return lambda: model.train_function([((x, alive), target)])


def gradient(layer: Any, shape: Shape, jit: bool) -> Step:
    """Outputs, and the gradients of inputs and weights."""
    mask = shape.mask()
    x = torch.from_numpy(batch_of(shape)[0]).requires_grad_()
    layer.build(x.shape)
    sources = [x, *(variable.value for variable in layer.trainable_variables)]
    return lambda: torch.autograd.grad(layer(x, mask=mask, training=True).mean(), sources)


def forward(layer: Any, shape: Shape, jit: bool) -> Step:
    """Outputs."""
    mask, x = shape.mask(), torch.from_numpy(batch_of(shape)[0])
    layer.build(x.shape)
    return torch.no_grad()(lambda: layer(x, mask=mask))


def own(cell: str, shape: Shape, mode: str) -> Step:
    """The same step of torch's own layer, without a norm, Keras or a mask: over all tokens."""
    x, _, target = map(torch.from_numpy, batch_of(shape))
    layer = OWN[cell](shape.inputs, shape.units, batch_first=True)
    if mode == "forward":
        return torch.no_grad()(lambda: layer(x))
    weights = list(layer.parameters())
    if mode == "gradient":
        sources = [x.requires_grad_(), *weights]
        return lambda: torch.autograd.grad(layer(x)[0].mean(), sources)
    optimizer = torch.optim.SGD(weights, lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        outputs = layer(x)[0]
        seen = outputs[:, -1] if mode == "fit-last" else outputs.mean(1)
        torch.nn.functional.mse_loss(seen, target).backward()
        optimizer.step()

    return step


def products(cell: str, shape: Shape, mode: str = "fit") -> Step:
    """The matrix products of a step over all tokens at once: the floor."""
    x, h, d, kernel, recurrent = map(torch.from_numpy, factors_of(KERNELS[cell].gates, shape))

    def step() -> Sequence[Any]:
        found = [x @ kernel, h @ recurrent]
        if mode != "forward":
            found += [d @ recurrent.T, x.T @ d, h.T @ d]
        if mode == "gradient":
            found.append(d @ kernel.T)
        return found

    return step
