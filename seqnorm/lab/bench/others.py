"""The same layer-normalised LSTM written for TorchScript and for JAX, where these are installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from seqnorm.lab.bench.shapes import Shape, Step


def installed() -> list[str]:
    """Names of the subjects that can be measured here."""
    return [name for name in OTHERS if find_spec(name) is not None]


def torch_step(shape: Shape) -> Step:
    """Forward and backward of a scripted LSTM with a norm on both products and the state."""
    import torch

    @torch.jit.script
    def run(x: torch.Tensor, w: torch.Tensor, u: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(x.shape[1], u.shape[0])
        c = torch.zeros(x.shape[1], u.shape[0])
        a = torch.layer_norm(x @ w, [w.shape[1]])
        total = torch.zeros(())
        for t in range(x.shape[0]):
            z = a[t] + torch.layer_norm(h @ u, [u.shape[1]]) + b
            i, f, g, o = z.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(torch.layer_norm(c, [c.shape[1]]))
            total = total + h.mean()
        return total

    arrays = [torch.tensor(value, requires_grad=True) for value in _arrays(shape)]

    def step() -> Any:
        run(*arrays).backward()

    return step


def jax_step(shape: Shape) -> Step:
    """The same as one compiled `jax.lax.scan`."""
    import jax
    from jax import numpy as jnp

    def norm(x: Any) -> Any:
        return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)

    def loss(x: Any, w: Any, u: Any, b: Any) -> Any:
        def advance(carry: Any, a: Any) -> Any:
            h, c = carry
            i, f, g, o = jnp.split(a + norm(h @ u) + b, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(norm(c))
            return (h, c), h

        start = jnp.zeros((x.shape[1], u.shape[0]))
        return jax.lax.scan(advance, (start, start), norm(x @ w))[1].mean()

    gradient = jax.jit(jax.grad(loss, argnums=(0, 1, 2, 3)))
    arrays = [jnp.asarray(value) for value in _arrays(shape)]
    return lambda: jax.block_until_ready(gradient(*arrays))


def _arrays(shape: Shape) -> list[np.ndarray]:
    """Time-major inputs, W, U and b."""
    rng, columns = np.random.default_rng(0), 4 * shape.units
    sizes = [
        (shape.steps, shape.batch, shape.inputs),
        (shape.inputs, columns),
        (shape.units, columns),
        (columns,),
    ]
    return [rng.normal(0, 0.1, size).astype("float32") for size in sizes]


OTHERS = {"torch": torch_step, "jax": jax_step}
