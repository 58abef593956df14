"""Reuters-21578 for TensorFlow Datasets: ``tfds.load("reuters21578/r8")``."""

from seqnorm.lab.data.reuters.reuters21578.reuters21578_dataset_builder import Builder

__all__ = ["Builder"]
