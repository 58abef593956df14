"""A panel of columns, two vectors wide, that goes down the rows of a block in registers.

For what couples rows, as batch statistics do. A loop along each row, which numba vectorises, loads
and stores everything that belongs to the columns again for every row; it is written in LLVM's
vector types instead, as the tile is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from seqnorm.kernels.compiled.tile import VECTOR_BYTES

_VECTORS = 2
_INDEX = ir.IntType(64)
Vectors = list[Any]


class Panel:
    """Emits vector code for the columns of one panel of a block of rows."""

    def __init__(self, builder: Any, element: Any, bytes_each: int, rows: Any, stride: Any) -> None:
        self.build, self.element, self.align = builder, element, bytes_each
        self.rows, self.stride = rows, stride
        self.lanes = VECTOR_BYTES // bytes_each
        self.vector = ir.VectorType(element, self.lanes)
        self.zeros: Vectors = [ir.Constant(self.vector, None)] * _VECTORS
        name = f"llvm.fma.v{self.lanes}f{8 * bytes_each}"
        signature = ir.FunctionType(self.vector, [self.vector] * 3)
        self._fma = cgutils.get_or_insert_function(builder.module, signature, name)

    def _places(self, pointer: Any) -> Vectors:
        starts = (ir.Constant(_INDEX, vector * self.lanes) for vector in range(_VECTORS))
        moved = (self.build.gep(pointer, [start]) for start in starts)
        return [self.build.bitcast(place, self.vector.as_pointer()) for place in moved]

    def load(self, pointer: Any) -> Vectors:
        """The elements from an address on."""
        return [self.build.load(place, align=self.align) for place in self._places(pointer)]

    def store(self, values: Vectors, pointer: Any) -> None:
        """Writes elements from an address on."""
        for value, place in zip(values, self._places(pointer), strict=True):
            self.build.store(value, place, align=self.align)

    def add(self, a: Vectors, b: Vectors) -> Vectors:
        """A + b."""
        return [self.build.fadd(*pair) for pair in zip(a, b, strict=True)]

    def subtract(self, a: Vectors, b: Vectors) -> Vectors:
        """A - b."""
        return [self.build.fsub(*pair) for pair in zip(a, b, strict=True)]

    def multiply(self, a: Vectors, b: Vectors) -> Vectors:
        """A b."""
        return [self.build.fmul(*pair) for pair in zip(a, b, strict=True)]

    def multiply_add(self, a: Vectors, b: Vectors, c: Vectors) -> Vectors:
        """A b + c, rounded once."""
        return [self.build.call(self._fma, each) for each in zip(a, b, c, strict=True)]

    def mean(self, sums: Vectors) -> Vectors:
        """Sums over the rows, divided by their number."""
        count = self.build.sitofp(self.rows, self.element)
        empty = ir.Constant(self.vector, ir.Undefined)
        first = self.build.insert_element(empty, count, ir.Constant(ir.IntType(32), 0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        counts = self.build.shuffle_vector(first, empty, lanes)
        return [self.build.fdiv(each, counts) for each in sums]

    def down(
        self,
        blocks: Sequence[Any],
        start: Sequence[Vectors],
        body: Callable[..., Sequence[Vectors]],
    ) -> list[Vectors]:
        """A loop over the rows: body(address in each block, carried vectors) -> carried vectors."""
        build, before = self.build, self.build.block
        loop, done = build.append_basic_block("row"), build.append_basic_block("rows")
        build.branch(loop)
        build.position_at_end(loop)
        row = build.phi(_INDEX)
        carried = [[build.phi(self.vector) for _ in vectors] for vectors in start]
        offset = build.mul(row, self.stride)
        found = [*body(*(build.gep(block, [offset]) for block in blocks), *carried)]
        following = build.add(row, ir.Constant(_INDEX, 1))
        _enter(row, (ir.Constant(_INDEX, 0), before), (following, loop))
        for phis, first, after in zip(carried, start, found, strict=True):
            for phi, one, other in zip(phis, first, after, strict=True):
                _enter(phi, (one, before), (other, loop))
        build.cbranch(build.icmp_signed("<", following, self.rows), loop, done)
        build.position_at_end(done)
        return found


def _enter(phi: Any, *sources: tuple[Any, Any]) -> None:
    for value, block in sources:
        phi.add_incoming(value, block)


def on_panel(emit: Callable[..., None]) -> Any:
    """`emit(panel, *addresses)` for compiled code.

    Its arguments there: any number of the element type; how many rows, at least one; elements from
    one row to the next; a tuple of addresses of the panel's first column, in blocks and in vectors.
    """

    @intrinsic
    def function(typing, unit, rows, stride, addresses):
        def generate(context, builder, signature, values):
            element = context.get_data_type(unit)
            panel = Panel(builder, element, unit.bitwidth // 8, values[1], values[2])
            places = cgutils.unpack_tuple(builder, values[3])
            emit(panel, *(builder.inttoptr(place, element.as_pointer()) for place in places))
            return context.get_dummy_value()

        return types.void(unit, types.int64, types.int64, addresses), generate

    return function
