"""The table of exceptions itself."""

from __future__ import annotations

from itertools import product

import pytest

from seqnorm.testing import PROPERTIES
from tests import grid

NAMES = (*PROPERTIES, "keras_rnn", "fused")


@pytest.mark.parametrize("exempt", grid.EXEMPT, ids=lambda exempt: exempt.reason)
def test_each_exception_is_needed(exempt):
    """It covers some case that no other exception covers."""
    others = [other for other in grid.EXEMPT if other is not exempt]
    cases = product(NAMES, grid.NORMS, grid.DTYPES, grid.MASKINGS)
    assert any(
        exempt.covers(*case) and not any(other.covers(*case) for other in others) for case in cases
    )
