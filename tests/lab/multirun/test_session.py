"""What a launcher's process is given."""

from __future__ import annotations

import pickle
import pickletools
from fractions import Fraction

from seqnorm.lab.multirun.session import load_keras_first


class Context:
    def __init__(self) -> None:
        self.part = Fraction(1, 2)  # stands for a class of a module that loads Keras


def test_keras_is_loaded_quietly_before_a_module_of_the_users():
    context = Context()
    load_keras_first(context)
    texts = [found for _, found, _ in pickletools.genops(pickle.dumps(context))]
    assert texts.index("seqnorm.lab.quiet") < texts.index("fractions")
