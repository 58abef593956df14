"""The table of properties, and in which cases each must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras

from seqnorm.testing import files, precision, rows, time
from seqnorm.testing.case import DTYPES, HALF, MASKINGS, Case
from seqnorm.testing.errors import ConformanceError, Disagreement, Failure, raised

EVERY = tuple(MASKINGS)
SEVERAL_ROWS = tuple(name for name in MASKINGS if name != "single row")


class Property(NamedTuple):
    """What holds for every cell and norm.

    Attributes:
        name: as `skip` takes it.
        check: raises `Disagreement` where it does not hold.
        maskings: where it has a meaning; in other precisions than float64 it is checked under the
            padding of `elsewhere` alone.
        dtypes: where it has a meaning.
        elsewhere: the masking for other precisions.
    """

    name: str
    check: Callable[[Case], None]
    maskings: tuple[str, ...] = EVERY
    dtypes: tuple[str, ...] = DTYPES
    elsewhere: str = "right"

    def __call__(self, case: Case) -> None:
        """Raise `ConformanceError`, with the property and the case, where it does not hold."""
        try:
            self.check(case)
        except Disagreement as it:
            failure = Failure(self.name, str(case), it.what, it.found, it.expected, it.values)
            raise ConformanceError(failure) from None
        except Exception as error:
            raise raised(self.name, case, error) from error

    def cases(self) -> Iterator[tuple[str, str]]:
        """(precision, masking) of every case."""
        for dtype in self.dtypes:
            for masking in self.maskings:
                if dtype == "float64" or masking == self.elsewhere:
                    yield dtype, masking


DOUBLE, COMPILED = ("float64",), ("float64", "float32", "mixed_float16")
PROPERTIES = {
    each.name: each
    for each in (
        Property("reference", precision.reference),
        Property("gradient", precision.gradient, dtypes=DOUBLE),
        Property("precision", precision.precision, dtypes=("float32", *HALF)),
        Property("finite", precision.finite, ("right", "empty row"), ("float64", "float32", *HALF)),
        Property("padding", rows.padding),
        Property("unpadded", rows.unpadded, ("right", "left"), DOUBLE),
        Property("empty_row", rows.empty_row, ("empty row",), elsewhere="empty row"),
        Property("permutation", rows.permutation, SEVERAL_ROWS),
        Property("batch_mates", rows.batch_mates, SEVERAL_ROWS),
        Property("chunks", time.chunks),
        Property("pure", time.pure, ("no mask", "right"), DOUBLE),
        # mixed_bfloat16 has the operations of mixed_float16, with another cast.
        Property("compiled", precision.compiled, ("empty row",), COMPILED, "empty row"),
        Property("serialisation", files.serialisation, ("right",), DOUBLE),
        Property("fresh_process", files.fresh_process, ("right",), ("float32",)),
    )
}


def available(name: str) -> bool:
    """Whether the property has a meaning on this backend; Keras compiles nothing on torch."""
    return name != "compiled" or keras.backend.backend() != "torch"
