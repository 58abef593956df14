"""What the kernels say they can do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from seqnorm.kernels import SiteSpec, Spec, why_not

LAYER, BATCH = SiteSpec("layer"), SiteSpec("batch")


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (Spec("lstm", dtype="float16"), "float16"),
        (Spec("lstm", BATCH, LAYER), "batch norm beside"),
        (Spec("lstm", SiteSpec("dyt")), "dyt"),
        (Spec("gru", state=LAYER), "only for cells with a state c"),
        (Spec("gru", SiteSpec("layer", parts=((2, 1),))), "input site must cover its 3 gates"),
        (Spec("lstm", carry=True), "carry needs"),
        (Spec("peephole"), "peephole"),
    ],
)
def test_reasons(spec, part):
    assert part in (why_not(spec) or "")


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("norm", ["none", "layer", "rms", "batch", "fixed"])
def test_what_is_served(cell, norm):
    pytest.importorskip("numba")
    assert why_not(Spec(cell, SiteSpec(norm), SiteSpec(norm))) is None


def test_importing_the_package_imports_no_compiler():
    code = "import sys, seqnorm.kernels; print({'numba', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_a_folder_to_keep_code_in_it_compiles_anew_and_says_so():
    code = (
        "import warnings, numba.core.caching as caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    from seqnorm.kernels.compiled.options import ENTRY\n"
        "print(ENTRY['cache'], [str(w.message) for w in caught])\n"
    )
    pytest.importorskip("numba")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        done.stdout.startswith("False ['numba finds no folder") and "NUMBA_CACHE_DIR" in done.stdout
    )
