"""The table of a page, made anew; what other processors gave stays."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seqnorm.lab.bench.measure import Summary
from seqnorm.lab.bench.page import update
from seqnorm.lab.commands.bench import main
from seqnorm.lab.errors import UserError

ROOT = Path(__file__).parents[3]
PAGE = """# Speed
<!-- seqnorm-bench torch -->
<!-- end -->
Between.
<!-- seqnorm-bench tensorflow -->

Old, 256 bits:

| cell, shape | keras, ms | none | layer |
|---|---|---|---|
| LSTM 8x4x2x2 | 207 | 0.40 | 0.44 |
| GRU 8x4x2x2 | 30 |  | 0.50 |

<!-- end -->
After.
"""


def measured(ratio: float) -> dict[str, Summary]:
    ratios = {"keras": 1.0, "products": 0.2, "fused layer": ratio}
    return {name: Summary(each, 0, 0, 40 * each, 0, 0) for name, each in ratios.items()}


def test_the_table_of_another_processor_stays_and_its_own_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    update(page, "tensorflow", "New, 512 bits", {"lstm 8x4x2x2": measured(0.9)})
    update(page, "tensorflow", "New, 512 bits", {"lstm 8x4x2x2": measured(0.6)})
    update(page, "tensorflow", "New, 512 bits", {"simple_rnn 8x4x2x2": measured(0.7)})
    end = PAGE.index("<!-- end -->\nAfter")
    assert page.read_text() == (
        PAGE[:end]
        + "New, 512 bits:\n\n"
        + "| cell, shape | keras, ms | products | layer |\n"
        + "|---|---|---|---|\n"
        + "| LSTM 8x4x2x2 | 40 | 0.20 | 0.60 |\n"
        + "| SimpleRNN 8x4x2x2 | 40 | 0.20 | 0.70 |\n\n"
        + PAGE[end:]
    )


def test_a_first_measurement_makes_the_table(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    update(page, "torch", "New", {"lstm 8x4x2x2": measured(0.5)})
    assert (
        "<!-- seqnorm-bench torch -->\n\nNew:\n\n| cell, shape | keras, ms | products | layer |\n"
        "|---|---|---|---|\n| LSTM 8x4x2x2 | 40 | 0.20 | 0.50 |\n\n<!-- end -->\nBetween."
    ) in page.read_text()


@pytest.mark.parametrize("text", [None, "no lines\n", "<!-- seqnorm-bench jax -->\nno end\n"])
def test_a_page_without_a_place_is_refused_before_anything_is_measured(text, tmp_path, capsys):
    page = tmp_path / "page.md"
    if text is not None:
        page.write_text(text)
    with pytest.raises(UserError, match=r"--page needs a file with the lines .*received page="):
        update(page, "jax", "New", {})
    assert main(["--page", str(page), "--shapes", "4x3x2x2"]) == 1
    printed = capsys.readouterr()
    assert "--page needs" in printed.err and "fused" not in printed.out


def test_ratios_of_something_else_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--page", str(tmp_path / "page.md"), "--mode", "forward"])
    assert "the table is of full training steps" in capsys.readouterr().err


def test_the_documentation_has_the_tables_of_three_backends():
    text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    for backend in ("tensorflow", "jax", "torch"):
        (block,) = re.findall(rf"<!-- seqnorm-bench {backend} -->\n(.*?)<!-- end -->", text, re.S)
        assert "vectors of 512 bits, 2 threads:" in block
        assert block.count("\n| ") == (2 if backend == "tensorflow" else 1) * (1 + 9)
