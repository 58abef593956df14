"""Why the kernels have no place in what surrounds a call: devices, tracing, other derivatives."""

from __future__ import annotations

import sys

_NOT_THE_CPU = "the kernels run on the CPU, and {}"
_EXPORTED = "an exported model must run without Python"
# What traces a function in order to save it.
_EXPORTERS = (
    "keras.src.export",
    "tensorflow.lite",
    "tf2onnx",
    "jax._src.export",
    "jax.experimental.jax2tf",
)


def obstacle() -> str | None:
    """Why Keras's backend cannot call the kernels here and now; None when it can."""
    import keras

    backend = keras.backend.backend()
    if backend not in _OBSTACLES:
        return f"the kernels are bound to TensorFlow, torch and JAX, not to {backend}"
    return _OBSTACLES[backend]()


def is_exporting() -> bool:
    """Whether the call is traced in order to be saved."""
    if called_by(*_EXPORTERS):
        return True
    torch = sys.modules.get("torch")
    return torch is not None and (torch.jit.is_tracing() or torch.compiler.is_exporting())


def called_by(*packages: str) -> bool:
    """Whether a function of one of the packages is under way: none of them says so otherwise."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if str(frame.f_globals.get("__name__")).startswith(packages):
            return True
    return False


def _of_tensorflow() -> str | None:
    import tensorflow as tf
    from tensorflow.python.eager.forwardprop_util import pack_tangents
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
    from tensorflow.python.saved_model.save_context import in_save_context

    if tf.config.list_logical_devices("GPU"):
        return _NOT_THE_CPU.format("TensorFlow sees a GPU")
    if pack_tangents([]).indices:  # one entry for each accumulator that is at work
        return "tf.autodiff.ForwardAccumulator (keras.ops.jvp) needs the loop's derivatives"
    if tf.executing_eagerly():
        return None
    if GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return "XLA compiles the loop (jit_compile=True)"
    if in_save_context() or called_by(*_EXPORTERS):
        return _EXPORTED
    if called_by("tensorflow.python.ops.parallel_for"):
        return "tf.vectorized_map rewrites the operations of the loop"
    return None


def _of_torch() -> str | None:
    import torch
    from keras import ops
    from torch.autograd import forward_ad

    if torch.jit.is_tracing() or torch.compiler.is_exporting():
        return _EXPORTED
    device = ops.zeros(()).device.type
    if device not in ("cpu", "meta"):
        return _NOT_THE_CPU.format(f"Keras's device is {device}")
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return "torch.func (grad, vmap, jvp) rewrites the operations of the loop"
    if forward_ad._current_level >= 0:
        return "forward-mode derivatives (torch.autograd.forward_ad) need the loop's"
    return None


def _of_jax() -> str | None:
    import jax

    if jax.default_backend() != "cpu":
        return _NOT_THE_CPU.format(f"JAX's default device is a {jax.default_backend()}")
    if jax.device_count() > 1:
        return f"the kernels run on one device, and JAX sees {jax.device_count()}"
    if called_by(*_EXPORTERS):
        return _EXPORTED
    return None


_OBSTACLES = {"tensorflow": _of_tensorflow, "torch": _of_torch, "jax": _of_jax}
