"""The register tile: C[m, 2v] (+)= A[m, k] B[k, 2v] with every accumulator in a vector register.

numba turns scalar loops into vector code well, but keeps the accumulators of a matrix product in
memory. The tile is therefore written in LLVM's vector types; LLVM splits them where the machine's
registers are shorter. The order of additions over k is the same for every m, so a row's result does
not depend on the rows that share its tile.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from seqnorm.machine import tile_rows, vector_bytes

ROWS = tile_rows()
VECTOR_BYTES = vector_bytes()
_VECTORS = 2
_INDEX = ir.IntType(64)


class _Tile:
    """Emits the tile for `rows` rows of one element type."""

    def __init__(self, rows: int, builder: Any, element: Any, bytes_each: int) -> None:
        self.rows, self.builder, self.element, self.align = rows, builder, element, bytes_each
        self.lanes = VECTOR_BYTES // bytes_each
        self.vector = ir.VectorType(element, self.lanes)
        suffix = f"v{self.lanes}f{8 * bytes_each}"
        signature = ir.FunctionType(self.vector, [self.vector] * 3)
        self.fma = cgutils.get_or_insert_function(builder.module, signature, f"llvm.fma.{suffix}")

    def _vector_at(self, pointer: Any, lane: int) -> Any:
        moved = self.builder.gep(pointer, [ir.Constant(_INDEX, lane * self.lanes)])
        return self.builder.bitcast(moved, self.vector.as_pointer())

    def _load(self, pointer: Any, lane: int) -> Any:
        return self.builder.load(self._vector_at(pointer, lane), align=self.align)

    def _broadcast(self, value: Any) -> Any:
        empty = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(first, empty, zeros)

    def emit(
        self, a: list[Any], a_step: Any, depth: Any, panel: Any, c: list[Any], add: Any
    ) -> None:
        """Emits load or zero, the loop over `depth`, and the stores."""
        build, lanes = self.builder, range(_VECTORS)
        load, zero, loop, done = (
            build.append_basic_block(name) for name in ("load", "zero", "loop", "done")
        )
        build.cbranch(build.icmp_signed("!=", add, ir.Constant(add.type, 0)), load, zero)
        build.position_at_end(load)
        loaded = [[self._load(row, lane) for lane in lanes] for row in c]
        build.branch(loop)
        build.position_at_end(zero)
        build.branch(loop)
        build.position_at_end(loop)
        step = build.phi(_INDEX)
        sums = [[build.phi(self.vector) for _ in lanes] for _ in c]
        right = build.gep(panel, [build.mul(step, ir.Constant(_INDEX, _VECTORS * self.lanes))])
        columns = [self._load(right, lane) for lane in lanes]
        a_offset = build.mul(step, a_step)
        for source, row, start in zip(a, sums, loaded, strict=True):
            left = self._broadcast(build.load(build.gep(source, [a_offset])))
            for lane in lanes:
                phi = row[lane]
                phi.add_incoming(start[lane], load)
                phi.add_incoming(ir.Constant(self.vector, None), zero)
                row[lane] = build.call(self.fma, [left, columns[lane], phi])
                phi.add_incoming(row[lane], loop)
        following = build.add(step, ir.Constant(_INDEX, 1))
        for value, block in (
            (ir.Constant(_INDEX, 0), load),
            (ir.Constant(_INDEX, 0), zero),
            (following, loop),
        ):
            step.add_incoming(value, block)
        build.cbranch(build.icmp_signed("<", following, depth), loop, done)
        build.position_at_end(done)
        for row, pointer in zip(sums, c, strict=True):
            for lane in lanes:
                build.store(row[lane], self._vector_at(pointer, lane), align=self.align)


def _make(rows: int) -> Any:
    """The tile of `rows` rows as a function that compiled code can call.

    Its arguments: any number of the element type; addresses of a, of the int64 offsets of a's rows
    and a's step from one k to the next; k >= 1; the address of the packed panel; addresses of c and
    of the offsets of its rows; whether to add to c. Offsets and steps count elements.
    """

    @intrinsic
    def tile(typing, unit, a, a_rows, a_step, depth, panel, c, c_rows, add):
        arguments = (unit, a, a_rows, a_step, depth, panel, c, c_rows, add)

        def generate(context, builder, signature, values):
            element = context.get_data_type(unit)

            def pointer(value: Any, kind: Any) -> Any:
                return builder.inttoptr(value, kind.as_pointer())

            def row_pointers(base: Any, offsets: Any) -> list[Any]:
                start, table = pointer(base, element), pointer(offsets, _INDEX)
                at = (
                    builder.load(builder.gep(table, [ir.Constant(_INDEX, row)]))
                    for row in range(rows)
                )
                return [builder.gep(start, [offset]) for offset in at]

            writer = _Tile(rows, builder, element, unit.bitwidth // 8)
            writer.emit(
                row_pointers(values[1], values[2]), values[3], values[4],
                pointer(values[5], element),
                row_pointers(values[6], values[7]), values[8],
            )  # fmt: skip
            return context.get_dummy_value()

        return types.void(*arguments), generate

    return tile


@intrinsic
def _move(typing, unit, source, target):
    """Copies ROWS elements between two addresses."""

    def generate(context, builder, signature, values):
        kind = ir.VectorType(context.get_data_type(unit), ROWS).as_pointer()
        align = unit.bitwidth // 8
        loaded = builder.load(builder.inttoptr(values[1], kind), align=align)
        builder.store(loaded, builder.inttoptr(values[2], kind), align=align)
        return context.get_dummy_value()

    return types.void(unit, types.int64, types.int64), generate


TILES = {rows: _make(rows) for rows in range(1, 9)}
# The decorator's result takes no `typing` argument, which type checkers cannot see.
move: Any = _move
