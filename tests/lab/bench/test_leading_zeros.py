"""The page on sequences that begin with zeros shows what was measured."""

from __future__ import annotations

from pathlib import Path

from seqnorm.lab.bench.leading_zeros import CELLS, NORMS, cures, options, with_tables
from seqnorm.layers import recurrent_layer

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_s_tables_are_those_of_the_results():
    page = (ROOT / "docs" / "leading_zeros.md").read_text(encoding="utf-8")
    assert page == with_tables(page, ROOT / "docs" / "leading_zeros"), (
        "run python -m seqnorm.lab.bench.leading_zeros tables"
    )
    assert page.count("| layer |") > 5


def test_every_cure_is_a_layer():
    for cell in CELLS:
        for norm in NORMS:
            for cure in cures(norm):
                recurrent_layer(cell, units=4, **options(norm, cure))
