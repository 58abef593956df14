"""`check_cell` and `check_normalizer`: everything that the layers count on, for anybody's parts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from seqnorm.cells import CELLS, NormCell
from seqnorm.checks.layers import numpy
from seqnorm.normalizers import NORMALIZERS, Context, Normalizer
from seqnorm.spelling import did_you_mean, one_of
from seqnorm.testing.agree import agree
from seqnorm.testing.case import FEATURES, Case
from seqnorm.testing.double import double
from seqnorm.testing.errors import ConformanceError, Failure, raised
from seqnorm.testing.properties import PROPERTIES, Property, available
from seqnorm.testing.subject import Subject, of_step

Check = tuple[str, Callable[[], None]]


def check_cell(
    cell: NormCell,
    *,
    reference: Callable[..., Any] | None = None,
    features: int = FEATURES,
    checks: Iterable[str] | None = None,
    skip: Iterable[str] = (),
) -> None:
    """Check that a cell does what `NormRNN` counts on.

    Args:
        cell: an instance of a subclass of `NormCell`, with any norm; copies of it are checked, and
            dropout and zoneout are turned off in them.
        reference: one step in NumPy, `output, states = reference(cell, x_t, states)`, from the
            weights of the built `cell`: float64[rows, ...].
        features: width of the inputs.
        checks: names of the properties to check, out of `PROPERTIES`; None for all of them.
        skip: names of properties to leave out.

    Raises:
        ConformanceError: that names each property that does not hold, the input, and both numbers.
        TypeError: if `cell` is no `NormCell`.
        ValueError: for an unknown name.

    Examples:
        >>> from seqnorm import NormGRUCell
        >>> from seqnorm.testing import check_cell
        >>> check_cell(NormGRUCell(4, norm="rms"), checks=["permutation", "chunks"])
    """
    _run(
        cell_checks(cell, reference=reference, features=features, checks=checks, skip=skip),
    )


def check_normalizer(
    norm: Normalizer,
    *,
    reference: Callable[..., Any] | None = None,
    cell: str | type[NormCell] = "lstm",
    units: int = 4,
    features: int = FEATURES,
    checks: Iterable[str] | None = None,
    skip: Iterable[str] = (),
) -> None:
    """Check that a normaliser does what the cells and `NormRNN` count on.

    A norm under which the rows of a batch depend on each other in training declares it with the
    class attribute `mixes_rows = True`; one that needs step and mask with `time_aware`, one that
    needs all steps at once with `whole_sequence`.

    Args:
        norm: an instance of a subclass of `Normalizer`; copies of it are checked.
        reference: what it makes of a tensor in training, in NumPy, `y = reference(norm, x)`, from
            the weights of the built `norm`: float64[rows, width].
        cell: the cell that it is checked in, a name or a class.
        units: width of that cell.
        features: width of the inputs.
        checks: names of the properties to check, out of `PROPERTIES`; None for all of them.
        skip: names of properties to leave out.

    Raises:
        ConformanceError: that names each property that does not hold, the input, and both numbers.
        TypeError: if `norm` is no `Normalizer`.
        ValueError: for an unknown name.

    Examples:
        >>> from seqnorm.normalizers import RMSNorm
        >>> from seqnorm.testing import check_normalizer
        >>> check_normalizer(RMSNorm(), checks=["permutation", "batch_mates"])
    """
    options: dict[str, Any] = {"cell": cell, "units": units, "features": features}
    _run(normalizer_checks(norm, reference=reference, checks=checks, skip=skip, **options))


def cell_checks(
    cell: NormCell,
    *,
    reference: Callable[..., Any] | None = None,
    features: int = FEATURES,
    checks: Iterable[str] | None = None,
    skip: Iterable[str] = (),
) -> Iterator[Check]:
    """The checks of `check_cell` as (name, callable), for `pytest.mark.parametrize`."""
    if not isinstance(cell, NormCell):
        raise TypeError(
            "check_cell takes an instance of a subclass of NormCell. "
            f"Received: cell={cell!r}.{_instead(cell, NormCell, CELLS)}"
        )
    names = _chosen(checks, skip, given=reference is not None)
    steps = None if reference is None else of_step(reference)
    subject = Subject(cell, features, steps, originals=(cell, cell.norm))
    for name in names:
        yield name, partial(_check, PROPERTIES[name], subject)


def normalizer_checks(
    norm: Normalizer,
    *,
    reference: Callable[..., Any] | None = None,
    cell: str | type[NormCell] = "lstm",
    units: int = 4,
    features: int = FEATURES,
    checks: Iterable[str] | None = None,
    skip: Iterable[str] = (),
) -> Iterator[Check]:
    """The checks of `check_normalizer` as (name, callable), for `pytest.mark.parametrize`."""
    if not isinstance(norm, Normalizer):
        raise TypeError(
            "check_normalizer takes an instance of a subclass of Normalizer. "
            f"Received: norm={norm!r}.{_instead(norm, Normalizer, NORMALIZERS)}"
        )
    names = _chosen(checks, skip, given=reference is not None)
    if isinstance(cell, str) and cell not in CELLS:
        raise ValueError(f"Unknown cell. Received: cell={cell!r}. {one_of(cell, CELLS)}")
    kind = CELLS[cell] if isinstance(cell, str) else cell
    sites = ["input"] if norm.whole_sequence else None
    subject = Subject(kind(units, norm, sites=sites), features, originals=(norm,))
    for name in names:
        property = PROPERTIES[name]
        if name == "reference" and reference is not None:
            property = property._replace(
                check=partial(_norm_reference, reference), maskings=("right",), dtypes=("float64",)
            )
        yield name, partial(_check, property, subject)


def _norm_reference(reference: Callable[..., Any], case: Case) -> None:
    """What each normaliser of the cell makes of a tensor, against the author's NumPy."""
    case.reset()
    index = np.zeros(1, "int32") if case.layer.time_aware else None
    for site, norm in case.cell.normalizers.items():
        if not isinstance(norm, type(case.cell.norm)):
            continue
        width = case.cell.SITES[site].gates * case.cell.units
        x = np.random.default_rng(10).normal(size=(5, width))
        tensor = keras.ops.convert_to_tensor(x, case.dtype)
        y, _ = norm.call(tensor, Context(index, None, training=True))
        agree(f"the norm at {site!r}", numpy(y), reference(norm, x), case.dtype, rows=x)


def _instead(given: Any, base: type, named: Mapping[str, type]) -> str:
    """What to pass in place of a class, or of a name that stands for one."""
    kind = named.get(given) if isinstance(given, str) else given
    if not (isinstance(kind, type) and issubclass(kind, base)):
        return ""
    arguments = "units" if issubclass(kind, NormCell) else ""
    return f" Pass {kind.__name__}({arguments})."


def _chosen(checks: Iterable[str] | None, skip: Iterable[str], given: bool) -> list[str]:
    wanted, left_out = set(PROPERTIES if checks is None else checks), set(skip)
    unknown = sorted((wanted | left_out) - set(PROPERTIES))
    if unknown:
        near = "".join(did_you_mean(name, PROPERTIES) for name in unknown)
        raise ValueError(
            f"Unknown property. Received: {', '.join(unknown)}. "
            f"Choose out of: {', '.join(PROPERTIES)}.{near}"
        )
    names = [name for name in PROPERTIES if name in wanted - left_out and available(name)]
    return [name for name in names if name != "reference" or given]


def _check(property: Property, subject: Subject) -> None:
    """The property in each of its cases; all of them in double precision where it is asked for."""
    with double():
        for dtype, masking in property.cases():
            try:
                case = subject.case(dtype, masking)
            except Exception as error:
                raise raised(property.name, f"{subject} ({dtype})", error) from error
            if masking == "left" and case.layer.time_aware:
                continue  # refused by the layer: steps are counted from the first token
            property(case)


def _run(checks: Iterator[Check]) -> None:
    failures: list[Failure] = []
    for _, check in _shown([*checks]):
        try:
            check()
        except ConformanceError as error:
            failures += error.failures
    if failures:
        raise ConformanceError(*failures)


def _shown(checks: Sequence[Check]) -> Iterator[Check]:
    """The checks one by one; a terminal shows which it is meanwhile, and nothing in the end."""
    live = sys.stderr.isatty()
    for number, (name, check) in enumerate(checks, 1):
        if live:
            line = f"seqnorm: checking {name}, {number} of {len(checks)} ..."
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        yield name, check
    if live:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
