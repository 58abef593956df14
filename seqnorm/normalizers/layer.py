"""Layer normalisation."""

from __future__ import annotations

from typing import Any

import keras

from seqnorm.kernels import KernelNorm
from seqnorm.normalizers.base import Context, MomentNormalizer
from seqnorm.ops.moments import feature_moments, normalize


@keras.saving.register_keras_serializable(package="seqnorm")
class LayerNorm(MomentNormalizer):
    """Normalise each row over its own features.

        LN(x; γ, β) = γ ⊙ (x - μ) / sqrt(σ² + ε) + β,   μ, σ² over the features of one row

    Equation 4 of the paper. At a constant row (h = 0 at the first step) the output is β and the
    gradient is 1/sqrt(ε); see `init_state` of the cells for sequences that begin with zeros.

    Args:
        epsilon: default 1e-5, as in the authors' code; Keras and TensorFlow Addons use 1e-3.
        **kwargs: see `AffineNormalizer`; γ starts at 1.

    Masking:
        Ignored; kept for interchangeability. A row depends on nothing but itself.

    Examples:
        >>> import keras
        >>> from seqnorm.normalizers import Context, LayerNorm
        >>> norm = LayerNorm()
        >>> norm.build((None, 4))
        >>> y, _ = norm.call(keras.ops.array([[1.0, 2.0, 3.0, 4.0]]), Context())
        >>> [round(float(value), 3) for value in y[0]]
        [-1.342, -0.447, 0.447, 1.342]

    Reference:
        Ba, Kiros and Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
    """

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        """Normalise float[..., features] over its last axis; `context` is ignored."""
        mean, variance, _ = feature_moments(x)
        return self.affine(normalize(x, mean, variance, self.epsilon), x.dtype), None

    def to_kernel(self, training: bool) -> KernelNorm:
        """One pair of moments a row."""
        return KernelNorm("layer", self.epsilon, gain=self.gamma, offset=self.beta)
