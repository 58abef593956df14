"""Dynamic tanh: a squashing in place of a normalisation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqnorm.normalizers.base import AffineNormalizer, Context


@keras.saving.register_keras_serializable(package="seqnorm")
class DynamicTanh(AffineNormalizer):
    """Squash each feature with a learned slope; no statistics at all.

        DyT(x; α, γ, β) = γ ⊙ tanh(α x) + β,   α a learned scalar

    Args:
        alpha_initializer: initializer of α; default 0.5, as in the paper.
        **kwargs: see `AffineNormalizer`; γ starts at 1.

    Masking:
        Ignored; kept for interchangeability. A row depends on nothing but itself.

    Examples:
        >>> import keras
        >>> from seqnorm.normalizers import Context, DynamicTanh
        >>> norm = DynamicTanh()
        >>> norm.build((None, 2))
        >>> y, _ = norm.call(keras.ops.array([[0.0, 2.0]]), Context())
        >>> [round(float(value), 3) for value in y[0]]
        [0.0, 0.762]

    Reference:
        Zhu et al., "Transformers without Normalization", 2025, arXiv:2503.10622.
    """

    def __init__(self, alpha_initializer: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        if alpha_initializer is None:
            alpha_initializer = keras.initializers.Constant(0.5)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)

    def objects(self) -> dict[str, Any]:
        """Those of γ and β, and α's initialiser."""
        return {**super().objects(), "alpha_initializer": self.alpha_initializer}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create α, float[], and γ and β, float[features]."""
        self.alpha = self.add_weight(
            shape=(), name="alpha", initializer=self.alpha_initializer, autocast=False
        )
        super().build(input_shape)

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        """Squash float[..., features] element by element; `context` is ignored."""
        return self.affine(ops.tanh(x * ops.cast(self.alpha, x.dtype)), x.dtype), None

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument, serialised."""
        alpha = keras.initializers.serialize(self.alpha_initializer)
        return {**super().get_config(), "alpha_initializer": alpha}
