"""What the checks expect, against worked examples."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from scipy.special import gamma, k0

from seqnorm.checks import flow, published, small_n


def test_amplification_of_two_rows_is_a_bessel_function():
    expected = np.exp(small_n.EPSILON / 2) * k0(small_n.EPSILON / 2) / np.sqrt(np.pi)
    assert small_n.amplification(2) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n", [4, 8, 16, 64])
def test_amplification_without_epsilon_is_a_ratio_of_gammas(n):
    expected = np.sqrt(n / 2) * gamma(n / 2 - 1) / gamma((n - 1) / 2)
    assert small_n.amplification(n) == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.0])
def test_mean_field_factor(gain):
    """Against plain sums over a normal sample's quantiles; never below 1 without inputs."""
    z = np.linspace(-9, 9, 20_001)
    density = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    for gain_x in (0.0, gain):
        s = np.hypot(gain, gain_x)
        slopes = density @ np.cosh(s * z) ** -4.0
        expected = gain * np.sqrt(slopes / (density @ np.tanh(s * z) ** 2))
        assert flow.mean_field_factor(gain, gain_x) == pytest.approx(expected, rel=1e-6)
    assert flow.mean_field_factor(gain) >= 1
    assert flow.mean_field_factor(1e-4, 1e-4) == pytest.approx(0.5**0.5, rel=1e-6)


def test_transcriptions_use_nothing_of_what_they_judge():
    imported = set()
    for path in Path(published.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported.update(name.name for name in node.names)
    ours = {name for name in imported if name.startswith("seqnorm")}
    assert all(name.startswith("seqnorm.checks.published") for name in ours)
    assert imported - ours <= {
        "__future__",
        "collections.abc",
        "types",
        "typing",
        "numpy",
        "numpy.typing",
    }
