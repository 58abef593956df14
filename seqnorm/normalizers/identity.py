"""`none`: the normaliser that changes nothing."""

from __future__ import annotations

from typing import Any

import keras

from seqnorm.kernels import KernelNorm
from seqnorm.normalizers.base import Context, Normalizer


@keras.saving.register_keras_serializable(package="seqnorm")
class Identity(Normalizer):
    """No normalisation, y = x.

    What a site without normalisation holds, so that no cell asks whether it has one.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of the Keras layer.

    Masking:
        Ignored; kept for interchangeability.

    Examples:
        >>> import numpy as np
        >>> from seqnorm import NormLSTM, normalizers
        >>> layer = NormLSTM(8, norm=normalizers.Identity())  # Keras's own LSTM
        >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
        (2, 8)
    """

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        """Return `x`; `context` is ignored."""
        return x, None

    def to_kernel(self, training: bool) -> KernelNorm:
        """Nothing."""
        return KernelNorm("none")
