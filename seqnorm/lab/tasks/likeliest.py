"""The class that is answered, in a graph."""

from __future__ import annotations

from typing import Any


def likeliest(logits: Any) -> Any:
    """int32[...] of float[..., classes]: the first of the largest.

    `keras.ops.argmax` is none for a graph that is exported: to tell -0 from 0 it looks at bits,
    which ONNX and LiteRT do not.
    """
    from keras import ops

    return ops.top_k(logits, 1)[1][..., 0]
