"""The arrays of the last probe, ordered by layer and site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqnorm.lab.report.statistics.curves import mean_profile
from seqnorm.lab.runs.read import RunRecord

# The pre-activation of the recurrence; joined with the input's where a cell has no other.
RECURRENT_SITES = ("recurrent", "joint")
PARTS = ("gates", "candidate")  # of a site of the GRU, each with a norm of its own
GRADIENT, ROWS = "gradient_norm", "rows"
QUANTITIES = ("mean", "spread", "distance")


Profiles = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class LayerProfiles:
    """What was probed of one recurrent layer.

    Attributes:
        name: Name of the layer in its model.
        arrays: float64 [T] by quantity: those of "mean", "spread", "distance", "gradient_norm" and
            "rows" that exist.
    """

    name: str
    arrays: Profiles


def layer_profiles(arrays: Profiles) -> list[LayerProfiles]:
    """Sort the arrays of one probe by layer.

    Names are "<layer>/<site>/<quantity>", "<layer>/gradient_norm" and "rows". Layers are taken in
    the order in which they appear, since arms may name theirs differently; of the sites only the
    recurrent one is kept, or else the joint one. Where gates and candidate have a norm each, its
    distance is the mean of theirs.

    Args:
        arrays: float64 [T] by name.

    Returns:
        The layers; one with nothing to show is left out.
    """
    layers: dict[str, dict[str, Profiles]] = {}  # layer -> site -> quantity -> array
    for name, array in arrays.items():
        *parents, quantity = name.split("/")
        if quantity == GRADIENT and parents:
            layers.setdefault("/".join(parents), {})[GRADIENT] = {GRADIENT: array}
        elif len(parents) >= 2 and quantity in QUANTITIES:
            sites = layers.setdefault("/".join(parents[:-1]), {})
            sites.setdefault(parents[-1], {})[quantity] = array
    rows = {ROWS: arrays[ROWS]} if ROWS in arrays else {}
    found: list[LayerProfiles] = []
    for name, sites in layers.items():
        site: Profiles = next((_whole(sites, key) for key in RECURRENT_SITES if key in sites), {})
        shown = {**site, **sites.get(GRADIENT, {})}
        if shown:
            found.append(LayerProfiles(name, {**shown, **rows}))
    return found


def _whole(sites: dict[str, Profiles], name: str) -> Profiles:
    parts = [sites.get(f"{name}_{part}", {}).get("distance") for part in PARTS]
    found = [part for part in parts if part is not None]
    return {**({"distance": np.mean(found, axis=0)} if found else {}), **sites[name]}


def arm_profiles(runs: Sequence[RunRecord]) -> list[LayerProfiles]:
    """Mean over runs of the profiles of each layer; runs without a probe do not count.

    Args:
        runs: The runs of one arm.

    Returns:
        One entry per layer, with the name it has in the first run; empty if no run was probed.

    Raises:
        RunFolderError: If a probes.npz cannot be read.
    """
    per_run = [layer_profiles(arrays) for arrays in (run.probes() for run in runs) if arrays]
    means: list[LayerProfiles] = []
    for index in range(max((len(layers) for layers in per_run), default=0)):
        layers = [layers[index] for layers in per_run if index < len(layers)]
        quantities = dict.fromkeys(quantity for layer in layers for quantity in layer.arrays)
        mean = {
            quantity: mean_profile(
                [layer.arrays[quantity] for layer in layers if quantity in layer.arrays]
            )
            for quantity in quantities
        }
        means.append(LayerProfiles(layers[0].name, mean))
    return means
