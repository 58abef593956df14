"""Whether a norm or a cell of one's own does what the layers count on.

As scikit-learn's `check_estimator`: `check_normalizer(norm)` and `check_cell(cell)` run every
property of `PROPERTIES` and name each that does not hold, the input and both numbers.
`normalizer_checks` and `cell_checks` give them one by one, for `pytest.mark.parametrize`.
"""

from seqnorm.testing.check import cell_checks, check_cell, check_normalizer, normalizer_checks
from seqnorm.testing.errors import ConformanceError, Failure
from seqnorm.testing.properties import PROPERTIES

__all__ = [
    "PROPERTIES",
    "ConformanceError",
    "Failure",
    "cell_checks",
    "check_cell",
    "check_normalizer",
    "normalizer_checks",
]
