"""Root-mean-square normalisation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.kernels import KernelNorm
from seqnorm.normalizers.base import Context, MomentNormalizer
from seqnorm.ops.moments import statistics_dtype


@keras.saving.register_keras_serializable(package="seqnorm")
class RMSNorm(MomentNormalizer):
    """Divide each row by the root mean square of its own features.

        RMS(x; γ) = γ ⊙ x / sqrt(mean(x²) + ε)

    Equation 4 of the paper: layer normalisation without taking the mean out.

    Args:
        epsilon: default 1e-5.
        center: default False; the paper has no offset.
        **kwargs: see `AffineNormalizer`; γ starts at 1.

    Masking:
        Ignored; kept for interchangeability. A row depends on nothing but itself.

    Examples:
        >>> import keras
        >>> from seqnorm.normalizers import Context, RMSNorm
        >>> norm = RMSNorm()
        >>> norm.build((None, 2))
        >>> y, _ = norm.call(keras.ops.array([[3.0, 4.0]]), Context())
        >>> [round(float(value), 3) for value in y[0]]
        [0.849, 1.131]

    Reference:
        Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, arXiv:1910.07467.
    """

    def __init__(self, epsilon: float = 1e-5, center: bool | None = False, **kwargs: Any):
        super().__init__(epsilon=epsilon, center=center, **kwargs)

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        """Normalise float[..., features] over its last axis; `context` is ignored."""
        wide = ops.cast(x, statistics_dtype(x))
        mean_square = ops.mean(ops.square(wide), axis=-1, keepdims=True)
        return self.affine(wide * ops.rsqrt(mean_square + self.epsilon), x.dtype), None

    def to_kernel(self, training: bool) -> KernelNorm:
        """One moment a row."""
        return KernelNorm("rms", self.epsilon, gain=self.gamma, offset=self.beta)
