"""What a normaliser and a cell say of themselves, so that a kernel can take their place.

Each says it in its `to_kernel`. A subclass that changes what is computed afterwards loses the
kernel: `changed` finds it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Mixing(NamedTuple):
    """How the moments of a batch go with running ones, see `seqnorm.normalizers.BatchNorm`."""

    policy: str  # a name of `seqnorm.normalizers.small_batch.POLICIES`
    few: float
    momentum: float


class KernelTable(NamedTuple):
    """Running statistics that the kernels read, and whose next values they give."""

    mean: Any  # [rows, features]
    variance: Any  # [rows, features]
    count: Any  # [rows, 1]
    mixing: Mixing
    keeps: bool = True  # whether the normaliser takes the next values, or folds moments itself


class KernelNorm(NamedTuple):
    """What a built normaliser is to the kernels."""

    kind: str = ""  # one of `spec.KINDS`; "": there is no kernel
    epsilon: float = 0.0
    groups: int = 1  # equal parts of a row that are normalised apart
    gain: Any = None  # [features], None: ones
    offset: Any = None  # [features], None: zeros
    table: KernelTable | None = None  # of kinds in `spec.OF_BATCH`; None: the batch's moments alone


class KernelCell(NamedTuple):
    """What a cell is to the kernels."""

    kind: str = ""  # one of `spec.CELLS`; "": there is no kernel
    tanh: tuple[Any, ...] = ()  # its functions where the kernel has tanh
    sigmoid: tuple[Any, ...] = ()
    # For each site of the kernels the names in `SITES` of the normalisers that stand there, side by
    # side. One that holds no normaliser is passed over.
    input: tuple[str, ...] = ("input",)
    recurrent: tuple[str, ...] = ("recurrent",)
    state: tuple[str, ...] = ()
    carry: bool = False  # the next step gets the normalised state


def changed(part: Any, methods: Iterable[str]) -> list[str]:
    """Those methods that a subclass has changed after `to_kernel` was written."""
    classes = type(part).__mro__

    def depth(name: str) -> int:
        having = (i for i, each in enumerate(classes) if name in vars(each))
        return next(having, len(classes))

    return [name for name in methods if depth(name) < depth("to_kernel")]
