"""Group normalisation: layer normalisation of each gate by itself."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.kernels import KernelNorm
from seqnorm.normalizers.base import Context, MomentNormalizer
from seqnorm.ops.moments import feature_moments, normalize


@keras.saving.register_keras_serializable(package="seqnorm")
class GroupNorm(MomentNormalizer):
    """Normalise each of G equal groups of a row's features by itself, then γ and β per feature.

        GN(x; γ, β)_k = γ_k (x_k - μ_g) / sqrt(σ²_g + ε) + β_k,   μ_g, σ²_g over the group g of k

    Equations 1, 2 and 7 of the paper with no spatial axis. With one group per gate this is the
    layer normalisation of TensorFlow 1's contrib cell, of TFLite's fused LSTM and of Hou et al.

    Args:
        epsilon: default 1e-5.
        groups: number of groups G, or None for one per gate: 4 where the LSTM's gates lie side by
            side, 1 on its cell state.
        **kwargs: see `AffineNormalizer`; γ starts at 1.

    Masking:
        Ignored; kept for interchangeability. A row depends on nothing but itself.

    Raises:
        ValueError: if `groups` is below 1, or does not divide the number of features (on build).

    Examples:
        >>> import keras
        >>> from seqnorm.normalizers import Context, GroupNorm
        >>> norm = GroupNorm(groups=2)
        >>> norm.build((None, 4))
        >>> y, _ = norm.call(keras.ops.array([[1.0, 3.0, 10.0, 30.0]]), Context())
        >>> [round(float(value), 3) for value in y[0]]
        [-1.0, 1.0, -1.0, 1.0]

    Reference:
        Wu and He, "Group Normalization", 2018, arXiv:1803.08494.
    """

    def __init__(self, epsilon: float = 1e-5, groups: int | None = None, **kwargs: Any):
        super().__init__(epsilon=epsilon, **kwargs)
        if groups is not None and groups < 1:
            raise ValueError(f"`groups` must be at least 1. Received: groups={groups}.")
        self.groups = groups

    def at_site(self, site: str, gates: int, center: bool) -> dict[str, Any]:
        """One group per gate, unless `groups` was given."""
        settled = super().at_site(site, gates, center)
        return {**settled, "groups": gates} if self.groups is None else settled

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ and β, float[features]."""
        if (input_shape[-1] or 0) % (self.groups or 1):
            raise ValueError(
                "`groups` must divide the number of features. "
                f"Received: groups={self.groups}, features={input_shape[-1]}."
            )
        super().build(input_shape)

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        """Normalise float[..., features] within groups of its last axis; `context` is ignored."""
        groups = self.groups or 1
        shape = ops.shape(x)
        grouped = ops.reshape(x, (*shape[:-1], groups, x.shape[-1] // groups))
        mean, variance, _ = feature_moments(grouped)
        y = ops.reshape(normalize(grouped, mean, variance, self.epsilon), shape)
        return self.affine(y, x.dtype), None

    def to_kernel(self, training: bool) -> KernelNorm:
        """Layer normalisation of each part of a row."""
        return KernelNorm("layer", self.epsilon, self.groups or 1, self.gamma, self.beta)

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised."""
        return {**super().get_config(), "groups": self.groups}
