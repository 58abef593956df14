"""Cells: gate algebra only. Each knows its sites and one step; time belongs to the layers.

To add one: write the class with its `SITES` and its `step`, name it in `CELLS`, give it a layer in
`seqnorm/layers/convenience.py`, `conf/cell/<name>.yaml` with its dataclass in
`seqnorm/lab/config/parts.py`, and a NumPy oracle; `tests/grid.py` then runs it through every
property. For one of your own, outside of this package, see `seqnorm.lab.registry`.
Where a fused kernel computes the same, `to_kernel` says so.
"""

from seqnorm.cells.addons import LayerNormLSTMCell, LayerNormSimpleRNNCell
from seqnorm.cells.base import NormCell
from seqnorm.cells.gru import NormGRUCell
from seqnorm.cells.lstm import NormLSTMCell
from seqnorm.cells.simple_rnn import NormSimpleRNNCell
from seqnorm.cells.sites import Site, SiteNorms

CELLS: dict[str, type[NormCell]] = {
    cell.NAME: cell for cell in (NormSimpleRNNCell, NormLSTMCell, NormGRUCell)
}

__all__ = [
    "CELLS",
    "LayerNormLSTMCell",
    "LayerNormSimpleRNNCell",
    "NormCell",
    "NormGRUCell",
    "NormLSTMCell",
    "NormSimpleRNNCell",
    "Site",
    "SiteNorms",
]
