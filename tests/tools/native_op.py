"""Operations of TensorFlow that its C interface registers from Python, without a compiler.

`libtensorflow_framework` of the wheel exports what is needed: an operation gets a definition and a
kernel, whose compute function is the address of one that numba compiles.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_library

WORD, TEXT, COUNT = ctypes.c_int64, ctypes.c_char_p, ctypes.c_int  # a pointer is a word here
RANK = 3  # of the largest array
_SIGNATURES = {
    "TF_NewStatus": (WORD,),
    "TF_GetCode": (COUNT, WORD),
    "TF_NewOpDefinitionBuilder": (WORD, TEXT),
    "TF_OpDefinitionBuilderAddAttr": (None, WORD, TEXT),
    "TF_OpDefinitionBuilderAddInput": (None, WORD, TEXT),
    "TF_OpDefinitionBuilderAddOutput": (None, WORD, TEXT),
    "TF_OpDefinitionBuilderSetIsStateful": (None, WORD, ctypes.c_bool),
    "TF_OpDefinitionBuilderSetShapeInferenceFunction": (None, WORD, WORD),
    "TF_ShapeInferenceContextSetUnknownShape": (None, WORD, WORD),
    "TF_RegisterOpDefinition": (None, WORD, WORD),
    "TF_NewKernelBuilder": (WORD, TEXT, TEXT, WORD, WORD, WORD),
    "TF_RegisterKernelBuilder": (None, TEXT, WORD, WORD),
    "TF_GetInput": (None, WORD, COUNT, WORD, WORD),
    "TF_Dim": (WORD, WORD, COUNT),
    "TF_TensorData": (WORD, WORD),
    "TF_NewTensor": (WORD, COUNT, WORD, COUNT, WORD, ctypes.c_size_t, WORD, WORD),
    "TF_SetOutput": (None, WORD, COUNT, WORD, WORD),
    "TF_DeleteTensor": (None, WORD),
}


@cache
def _library() -> SimpleNamespace:
    """Its functions, which are called without giving up Python's lock."""
    folder = Path(tf.sysconfig.get_lib())
    shared = ctypes.PyDLL(str(next(folder.glob("libtensorflow_framework.*"))))
    for name, (result, *arguments) in _SIGNATURES.items():
        getattr(shared, name).restype, getattr(shared, name).argtypes = result, arguments
    return SimpleNamespace(**{name[3:]: getattr(shared, name) for name in _SIGNATURES})


def _register(name: str, compute: int | None) -> None:
    """An operation of any tensors, whose kernel is at this address."""
    lib, text = _library(), name.encode()
    status = lib.NewStatus()
    builder = lib.NewOpDefinitionBuilder(text)
    lib.OpDefinitionBuilderAddAttr(builder, b"Tin: list(type)")
    lib.OpDefinitionBuilderAddAttr(builder, b"Tout: list(type)")
    lib.OpDefinitionBuilderAddInput(builder, b"inputs: Tin")
    lib.OpDefinitionBuilderAddOutput(builder, b"outputs: Tout")
    lib.OpDefinitionBuilderSetIsStateful(builder, True)
    unknown = ctypes.cast(lib.ShapeInferenceContextSetUnknownShape, ctypes.c_void_p).value
    lib.OpDefinitionBuilderSetShapeInferenceFunction(builder, unknown)
    lib.RegisterOpDefinition(builder, status)
    lib.RegisterKernelBuilder(text, lib.NewKernelBuilder(text, b"CPU", 0, compute, 0), status)
    if lib.GetCode(status):
        raise RuntimeError(f"TensorFlow does not register the operation; received name={name!r}.")


@numba.cfunc("void(int64, int64, int64)")
def _keep(data, size, unused):  # type: ignore[no-untyped-def]
    """What TensorFlow calls when it drops a tensor, whose memory stays."""


@numba.njit
def _nobody(_: int) -> None:
    """In place of Python."""


def operation(
    name: str,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    body: Callable[..., Sequence[np.ndarray]] | None = None,
) -> Callable[..., list[Any]]:
    """Registers an operation, and returns what puts it into a graph, from tensors and dtypes.

    Nothing is copied, and nothing keeps the memory of the outputs while TensorFlow reads it: that
    is left to the caller.

    Args:
        name: that TensorFlow does not know yet, in camel case.
        inputs: arrays of the dtypes and ranks that it takes; other shapes are fine.
        outputs: what it makes where there is no body, and dtypes and shapes of what it makes.
        body: gets views of all inputs and returns aligned arrays; None: no Python runs.
    """
    lib, status, drop_it = _library(), _library().NewStatus(), _keep.address
    take, memory_of, size_of = lib.GetInput, lib.TensorData, lib.Dim
    new, give, drop = lib.NewTensor, lib.SetOutput, lib.DeleteTensor
    given, made = len(inputs), len(outputs)
    ranks = np.array([like.ndim for like in (*inputs, *outputs)])
    kinds = np.array([tf.as_dtype(like.dtype).as_datatype_enum for like in outputs])
    sizes = np.array([like.nbytes for like in outputs])
    known = np.zeros((given + made, 1 + RANK), np.int64)
    for row, like in zip(known[given:], outputs, strict=True):
        row[: 1 + like.ndim] = like.ctypes.data, *like.shape
    notify = _nobody if body is None else _caller(body, inputs, made)

    @numba.cfunc("void(int64, int64)")
    def compute(_, context):  # type: ignore[no-untyped-def]
        places, slot = known.copy(), np.empty(RANK, np.int64)
        tensors = np.empty(given, np.int64)
        for index in range(given):
            take(context, index, slot.ctypes.data, status)
            tensors[index] = slot[0]
            places[index, 0] = memory_of(tensors[index])
            for axis in range(ranks[index]):
                places[index, 1 + axis] = size_of(tensors[index], axis)
        notify(places.ctypes.data)
        for tensor in tensors:
            drop(tensor)
        for index in range(made):
            kind, rank, size = kinds[index], ranks[given + index], sizes[index]
            slot[:] = places[given + index, 1:]
            data = places[given + index, 0]
            tensor = new(kind, slot.ctypes.data, rank, data, size, drop_it, 0)
            give(context, index, tensor, status)
            drop(tensor)

    _register(name, compute.address)

    def call(arrays: Sequence[Any], dtypes: Sequence[tf.DType]) -> list[Any]:
        assert compute.address  # the kernel is kept as long as this
        return op_def_library.apply_op(name, inputs=list(arrays), Tout=list(dtypes))

    return call


def _caller(
    body: Callable[..., Sequence[np.ndarray]], inputs: Sequence[np.ndarray], made: int
) -> Any:
    """Calls `body` with views of what lies at its place, and writes there where its results are."""
    known = [(like.dtype, like.ndim) for like in inputs]
    table = WORD * ((len(inputs) + made) * (1 + RANK))

    def view(dtype: np.dtype, address: int, shape: list[int]) -> np.ndarray:
        size = math.prod(shape)
        if not size:
            return np.empty(shape, dtype)
        memory: Any = (ctypes.c_char * (size * dtype.itemsize)).from_address(address)
        return np.frombuffer(memory, dtype).reshape(shape)

    @ctypes.CFUNCTYPE(None, WORD)
    def call(place: int) -> None:
        memory: Any = table.from_address(place)
        places = np.frombuffer(memory, np.int64).reshape(-1, 1 + RANK)
        rows = places[: len(known)].tolist()
        pairs = zip(known, rows, strict=True)
        found = body(*[view(dtype, row[0], row[1 : 1 + rank]) for (dtype, rank), row in pairs])
        places[len(known) :, 0] = [array.ctypes.data for array in found]

    return call
