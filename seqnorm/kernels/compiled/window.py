"""Parts of flat arrays at no cost: no bounds, no wrap-around, no reference counting."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array


@intrinsic
def _window(typing, array, start, size):
    """array[start : start + size] of a flat contiguous array that outlives the view."""
    view = types.Array(array.dtype, 1, "C")

    def generate(context, builder, signature, values):
        source = context.make_array(signature.args[0])(context, builder, values[0])
        out = context.make_array(view)(context, builder)
        itemsize = ir.Constant(
            ir.IntType(64), context.get_abi_sizeof(context.get_data_type(array.dtype))
        )
        populate_array(
            out,
            data=builder.gep(source.data, [values[1]]),
            shape=[values[2]],
            strides=[itemsize],
            itemsize=itemsize,
            meminfo=None,
        )
        return out._getvalue()

    return view(array, types.int64, types.int64), generate


@intrinsic
def _address(typing, array, start):
    """The address of array[start] as int64, for a flat array that outlives its use."""

    def generate(context, builder, signature, values):
        source = context.make_array(signature.args[0])(context, builder, values[0])
        return builder.ptrtoint(builder.gep(source.data, [values[1]]), ir.IntType(64))

    return types.int64(array, types.int64), generate


# The decorator's result takes no `typing` argument, which type checkers cannot see.
window: Any = _window
address: Any = _address
