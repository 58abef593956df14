"""`none`: the normaliser that changes nothing."""

from __future__ import annotations

from typing import Any

import keras

from seqnorm.normalizers.base import Context, Normalizer


@keras.saving.register_keras_serializable(package="seqnorm")
class Identity(Normalizer):
    """y = x. What a site without normalisation holds, so that no cell asks whether it has one."""

    def call(self, x: Any, context: Context) -> tuple[Any, None]:
        """Return `x`; `context` is ignored."""
        return x, None
