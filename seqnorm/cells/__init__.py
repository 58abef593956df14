"""Cells: gate algebra only. Each knows its sites and one step; time belongs to the layers."""

from seqnorm.cells.base import NormCell, Site, SiteNorms
from seqnorm.cells.lstm import NormLSTMCell

CELLS: dict[str, type[NormCell]] = {"lstm": NormLSTMCell}

__all__ = ["CELLS", "NormCell", "NormLSTMCell", "Site", "SiteNorms"]
