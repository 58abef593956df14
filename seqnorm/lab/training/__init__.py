"""One experiment from top to bottom; `seqnorm.lab.training.run.run` is the way in."""

from __future__ import annotations

import os
import sys

from seqnorm.lab.errors import UserError
from seqnorm.lab.quiet import import_keras
from seqnorm.lab.training.allocator import keep_freed_memory


def require_tensorflow() -> None:
    """Has Keras run on TensorFlow, whatever ~/.keras/keras.json says; call it before importing it.

    The layers run on every backend of Keras, the training loop on this one. The process keeps what
    TensorFlow frees from here on.

    Raises:
        UserError: if the environment, or Keras itself by now, is set to another one.
    """
    keras = sys.modules.get("keras")
    backend = (
        keras.config.backend() if keras else os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    )
    if backend != "tensorflow":
        raise UserError(
            f"training needs Keras on TensorFlow; received KERAS_BACKEND={backend}. Unset it (the "
            "layers themselves run on every backend)."
        )
    keep_freed_memory()
    import_keras()
