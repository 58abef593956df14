"""Sites: the places in a cell where a normaliser can stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from seqnorm.normalizers import Context, Normalizer
from seqnorm.ops.moments import Moments, masked_moments
from seqnorm.spelling import did_you_mean


class Site(NamedTuple):
    """A place in a cell where a normaliser can stand.

    Attributes:
        attribute: the cell's attribute that holds the normaliser.
        gates: number of gates that lie side by side there; the width in multiples of `units`.
        center: whether a normaliser that leaves it open gets an offset there.
    """

    attribute: str
    gates: int
    center: bool


def chosen_sites(sites: Any, selectable: Sequence[str]) -> tuple[str, ...]:
    """The sites that were asked for, all that can be for None.

    Raises:
        ValueError: for another one, with the nearest that there is.
    """
    if sites is None:
        return tuple(selectable)
    given = [sites] if isinstance(sites, str) else sites
    unknown = [str(site) for site in given if site not in selectable]
    if unknown or isinstance(sites, str):
        near = "".join(did_you_mean(site, selectable) for site in unknown)
        raise ValueError(
            f"`sites` must be a list of names out of {tuple(selectable)}. "
            f"Received: sites={sites!r}.{near} Leave it out to normalise all of them."
        )
    return tuple(sites)


class SiteNorms:
    """The normalisers of one cell bound to one moment: `norm(site, x) -> x normalised`.

    A cell calls it and thereby sees neither step nor mask nor training flag. The batch moments that
    the normalisers return collect in `moments`, those of the tensors that reach them in `observed`.

    Args:
        sites: normaliser of each site.
        context: where in time the tensors stand.
        observe: whether to fill `observed`, which the plain run does not pay for.
    """

    def __init__(self, sites: Mapping[str, Normalizer], context: Context, observe: bool = False):
        self.sites = sites
        self.context = context
        self.moments: dict[str, Moments] = {}
        self.observed: dict[str, Moments] | None = {} if observe else None

    @property
    def training(self) -> bool:
        """Whether dropout is on."""
        return self.context.training

    def __call__(self, site: str, x: Any) -> Any:
        """Normalise float[..., batch, features] at `site`."""
        if self.observed is not None:
            self.observed[site] = masked_moments(x, self.context.valid)
        y, moments = self.sites[site].call(x, self.context)
        if moments is not None:
            self.moments[site] = moments
        return y
