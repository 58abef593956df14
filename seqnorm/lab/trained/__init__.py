"""A finished run, used: what it kept, what it is given, what it answers."""

from seqnorm.lab.trained.kept import load
from seqnorm.lab.trained.trained import Trained

__all__ = ["Trained", "load"]
