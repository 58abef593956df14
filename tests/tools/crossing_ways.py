"""Ways out of a TensorFlow graph into a function, and back, that need no compiler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import script_ops

from seqnorm.kernels.host import embedded
from tests.tools import native_op

Arrays = list[np.ndarray]
Way = Callable[[Sequence[Any], list[tf.DType]], Sequence[Any]]  # puts one call into a graph


def ways(title: str, inputs: Arrays, outputs: Arrays) -> dict[str, Way]:
    """Ways to call a function from these inputs to these outputs."""

    def ready(*_: Any) -> Arrays:
        return outputs

    def fresh(*_: Any) -> Arrays:
        return [np.empty_like(array) for array in outputs]

    def by_numpy(*tensors: Any) -> list[Any]:
        [tensor.numpy() for tensor in tensors]
        return [tf.convert_to_tensor(array) for array in outputs]

    def by_dlpack(*tensors: Any) -> list[Any]:
        [np.from_dlpack(tensor) for tensor in tensors]
        return [tf.experimental.dlpack.from_dlpack(array.__dlpack__()) for array in outputs]

    def by_view(*tensors: Any) -> list[Any]:
        [np.asarray(memoryview(tensor)) for tensor in tensors]
        return [tf.convert_to_tensor(array) for array in outputs]

    def raw(kernel: Callable[..., Any]) -> Way:
        def call(arrays: Sequence[Any], kinds: list[tf.DType]) -> Sequence[Any]:
            token = script_ops._py_funcs.insert(ready)
            return kernel(input=list(arrays), token=token, Tout=kinds)

        return call

    def of_data(_: Sequence[Any], kinds: list[tf.DType]) -> Sequence[Any]:
        signature = tuple(tf.TensorSpec(a.shape, k) for a, k in zip(outputs, kinds, strict=True))
        endless = iter(lambda: tuple(outputs), None)
        with tf.init_scope():
            data = tf.data.Dataset.from_generator(lambda: endless, output_signature=signature)
            iterators.append(iter(data))
        return iterators[-1].get_next()

    iterators: list[Any] = []
    return {
        "numpy_function, as the package does": lambda a, k: embedded.call(
            ready, a, k, [None] * len(k)
        ),
        "tf.numpy_function": lambda a, k: tf.numpy_function(ready, a, k),
        "tf.numpy_function, one array in and out": lambda a, k: [
            tf.numpy_function(lambda _: outputs[0], a[1:2], k[0])
        ],
        "tf.numpy_function, fresh outputs": lambda a, k: tf.numpy_function(fresh, a, k),
        "tf.numpy_function, stateful=False": lambda a, k: tf.numpy_function(
            ready, a, k, stateful=False
        ),
        "tf.raw_ops.PyFunc": raw(tf.raw_ops.PyFunc),
        "tf.raw_ops.PyFuncStateless": raw(tf.raw_ops.PyFuncStateless),
        "tf.py_function, numpy()": lambda a, k: tf.py_function(by_numpy, a, k),
        "tf.py_function, memoryview": lambda a, k: tf.py_function(by_view, a, k),
        "tf.py_function, DLPack": lambda a, k: tf.py_function(by_dlpack, a, k),
        "dataset of a generator (no inputs)": of_data,
        "C interface, into Python": native_op.operation(f"{title}Python", inputs, outputs, ready),
        "C interface, machine code only": native_op.operation(f"{title}Native", inputs, outputs),
    }
