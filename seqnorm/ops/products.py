"""Products of a tensor with a kernel whose gates lie side by side."""

from __future__ import annotations

from typing import Any

from keras import ops


def matmul(x: Any, kernel: Any) -> Any:
    """The product X W of two matrices: [..., inputs] x [inputs, outputs] -> [..., outputs].

    Several leading axes are flattened first. As a batch of products the gradient of W would hold
    one matrix per step before it is summed.
    """
    kernel = ops.convert_to_tensor(kernel)  # in the compute dtype, under Keras's autocast
    x = ops.cast(x, kernel.dtype)
    if len(x.shape) == 2:
        return ops.matmul(x, kernel)
    product = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel)
    return ops.reshape(product, (*ops.shape(x)[:-1], kernel.shape[-1]))


def dropped_matmul(x: Any, kernel: Any, masks: Any) -> Any:
    """(x ⊙ m) W, or each gate's own (x ⊙ m_k) W_k where `masks` is a list; None drops nothing.

    Recurrent dropout wants one mask per gate: a shared one keeps larger rates from converging
    (keras-team/keras#20276).
    """
    if masks is None:
        return matmul(x, kernel)
    if not isinstance(masks, (list, tuple)):
        return matmul(x * masks, kernel)
    gates = ops.split(kernel, len(masks), axis=-1)
    products = [matmul(x * m, gate) for m, gate in zip(masks, gates, strict=True)]
    return ops.concatenate(products, axis=-1)
