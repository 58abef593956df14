"""Batch norm at a site of a recurrent cell: what stands there at each step of the time loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.reference import np_norms, np_statistics
from tests.reference.np_cells import Norm, Norms, States
from tests.reference.np_small_batch import small_batch_norm
from tests.reference.np_statistics import Array, Moments

Step = Callable[[Array, States, Norms], tuple[Array, States]]


@dataclass(frozen=True)
class BatchNormSite:
    """Batch norm at one site.

    gamma, beta: [F] or None. table: running statistics [R, F], [R, F], [R], or None.
    statistics: "step" takes the moments of each step over its alive rows (Cooijmans et al. 2016,
    arXiv 1603.09025, section 3); "sequence" takes one set of moments over all valid tokens of the
    batch (Laurent et al. 2015, arXiv 1510.01378; BN-e* of arXiv 1603.09025) and is only
    defined where the pre-activation does not depend on the state; for small_batch, n is then the
    number of those tokens. The rest: `normalizing_moments` and, at inference, `inference_row`.
    """

    gamma: Array | None = None
    beta: Array | None = None
    epsilon: float = 1e-5
    table: Moments | None = None
    statistics: str = "step"
    small_batch: str = "naive"
    min_count: float = 2.0
    kappa: float = 8.0
    r_max: float = 3.0
    d_max: float = 5.0
    inference_min_count: float = 1.0


def is_right_padded(mask: NDArray[np.bool_]) -> bool:
    """True if in every row no valid token follows a masked one. mask: bool [B, T]."""
    return not bool(np.any(mask[:, 1:] & ~mask[:, :-1]))


def check_sites(sites: Mapping[str, Norm | BatchNormSite], mask: NDArray[np.bool_]) -> None:
    for site, norm in sites.items():
        if not isinstance(norm, BatchNormSite):
            continue
        if norm.statistics not in ("step", "sequence"):
            raise ValueError(
                f"statistics at site {site!r} must be 'step' or 'sequence'; received "
                f"statistics={norm.statistics!r}."
            )
        if norm.statistics == "step" and not is_right_padded(mask):
            raise ValueError(
                "Batch norm per step needs a right-padded mask; received one with a real token "
                "after a masked one. Move the padding to the end of each row."
            )


def sequence_moments(
    step: Step,
    inputs: list[Array],
    alive: list[NDArray[np.bool_]],
    states: States,
    sites: Mapping[str, Norm | BatchNormSite],
) -> dict[str, Moments]:
    """Moments over all valid tokens for the sites that ask for them.

    What enters such a site does not depend on the state, so one pass of the step over all inputs
    with the initial states, in which every norm only takes note, sees exactly what the loop will.
    """
    result = {}
    for site, norm in sites.items():
        if not (isinstance(norm, BatchNormSite) and norm.statistics == "sequence"):
            continue
        seen: list[Array] = []

        def take_note(x: Array, seen: list[Array] = seen) -> Array:
            seen.append(x)
            return x

        for x_t in inputs:
            step(x_t, states, {site: take_note})
        if seen:
            result[site] = np_statistics.masked_moments(np.concatenate(seen), np.concatenate(alive))
    return result


def norm_at(
    norm: Norm | BatchNormSite,
    s: int,
    alive: NDArray[np.bool_],
    training: bool,
    whole: Moments | None,
    observed: list[Moments],
) -> Norm:
    """The function that stands for `norm` at loop step s; it also notes what enters."""

    def apply(x: Array) -> Array:
        observed.append(np_statistics.masked_moments(x, alive))
        if not isinstance(norm, BatchNormSite):
            return norm(x)
        affine = (norm.gamma, norm.beta, norm.epsilon)
        if not training:
            if norm.table is None:
                raise ValueError("Batch norm at inference needs table=Moments; received None.")
            row = np_statistics.inference_row(s, norm.table.count, norm.inference_min_count)
            given = np_statistics.row_of(norm.table, row)
            return np_norms.batch_norm_inference(x, given.mean, given.variance, *affine)
        running = None
        if norm.table is not None:
            row = np_statistics.training_row(s, len(norm.table.count))
            running = np_statistics.row_of(norm.table, row)
        y, _ = small_batch_norm(
            x,
            alive,
            running,
            norm.small_batch,
            *affine,
            batch=whole,
            min_count=norm.min_count,
            kappa=norm.kappa,
            r_max=norm.r_max,
            d_max=norm.d_max,
        )
        return y

    return apply
