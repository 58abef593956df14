"""`together` and `together_back` for calls whose rows see each other, `alone` for others.

What a call has no use for is not compiled with it: batch statistics are half of all code. Which of
the two it is says the type of `Call.meeting`, so each has compiled functions of its own.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from numba import types
from numba.extending import overload

from seqnorm.kernels.compiled import alone, together, together_back
from seqnorm.kernels.compiled.options import JIT
from seqnorm.kernels.compiled.reference import Reference


def _either(name: str, coupled: ModuleType) -> Any:
    def function(call: Reference, *rest: Any) -> Any:
        raise NotImplementedError  # for compiled code alone

    @overload(function, inline="always", strict=False, jit_options=JIT)
    def choose(call: Reference, *rest: Any) -> Any:
        alone_here = isinstance(call.find("meeting")[1], types.NoneType)
        return getattr(alone if alone_here else coupled, name).py_func

    return function


product_moments = _either("product_moments", together)
state_moments = _either("state_moments", together)
recall_moments = _either("recall_moments", together)
product_sums = _either("product_sums", together_back)
state_sums = _either("state_sums", together_back)
gradient = _either("gradient", together_back)
