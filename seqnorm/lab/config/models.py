"""The models around the arms of the comparison: one dataclass per model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from omegaconf import MISSING

from seqnorm.lab.config.ranges import POSITIVE, RATE, Range, at_least, one_of, ranged

WIDTHS = Range(
    "must be a list of positive numbers such as [64, 64]",
    lambda value: len(value) > 0 and all(width > 0 for width in value),
)


@dataclass
class ModelConfig:
    """What every model has: its registered name.

    A model says with `OF_IDS` which of its keys have no effect on rows of numbers.
    """

    OF_IDS: ClassVar[tuple[str, ...]] = ()

    name: str = MISSING


@dataclass
class ClassifierConfig(ModelConfig):
    """The classifier around the recurrent layers.

    Attributes:
        embedding: width of the word vectors; rows of numbers have none.
        embedding_dropout: share of the word vectors' entries dropped.
        depth: number of recurrent layers.
        bidirectional: read every sequence in both directions and concatenate.
        pooling: how a sequence becomes one vector, "last", "mean" or "max".
        dropout: share of the pooled vector dropped before the head.
    """

    OF_IDS = ("embedding", "embedding_dropout")

    embedding: int = ranged(MISSING, at_least(1))
    embedding_dropout: float = ranged(0.0, RATE)
    depth: int = ranged(1, at_least(1))
    bidirectional: bool = False
    pooling: str = ranged("last", one_of("last", "mean", "max"))
    dropout: float = ranged(0.0, RATE)


@dataclass
class MLPConfig(ModelConfig):
    """Which words a text has, and hidden layers above that.

    Attributes:
        hidden: width of each hidden layer.
        norm_position: normalise "before" or "after" the activation.
        activation: name of a Keras activation.
        dropout: share of each hidden layer's outputs dropped.
    """

    hidden: list[int] = ranged(list, WIDTHS)
    norm_position: str = ranged(MISSING, one_of("before", "after"))
    activation: str = MISSING
    dropout: float = ranged(0.0, RATE)


@dataclass
class ConvnetConfig(ModelConfig):
    """One convolution over an image, and one hidden layer above it.

    Attributes:
        filters: channels of the convolution.
        kernel_size: its width and height in pixels.
        hidden: width of the layer above it.
        activation: of that layer; the convolution has none.
        dropout: share of that layer's outputs dropped.
    """

    filters: int = ranged(MISSING, at_least(1))
    kernel_size: int = ranged(MISSING, at_least(1))
    hidden: int = ranged(MISSING, at_least(1))
    activation: str = MISSING
    dropout: float = ranged(0.0, RATE)


@dataclass
class BagOfWordsConfig(ModelConfig):
    """Logistic regression on single words and pairs of neighbours: the floor.

    Attributes:
        weighting: "tfidf" (rows of unit length, rare words weigh more) or "counts".
        inverse_regularisation: C of the logistic regression.
        min_texts: a word or pair in fewer training texts is left out.
    """

    weighting: str = ranged(MISSING, one_of("tfidf", "counts"))
    inverse_regularisation: float = ranged(MISSING, POSITIVE)
    min_texts: int = ranged(MISSING, at_least(1))


@dataclass
class NGramConfig(ModelConfig):
    """Counts of the tokens that followed the few before them, interpolated Kneser-Ney: the floor.

    Attributes:
        order: tokens of the longest gram, the one that is asked for included.
    """

    order: int = ranged(MISSING, at_least(1))


MODELS: dict[str, type] = {
    "classifier": ClassifierConfig,
    "mlp": MLPConfig,
    "convnet": ConvnetConfig,
    "bag_of_words": BagOfWordsConfig,
    "ngram": NGramConfig,
}

# Models that are counted rather than trained by gradients, and what a report calls them.
FLOORS: dict[str, str] = {"bag_of_words": "bag of words", "ngram": "n-gram model"}

# What a model without recurrence may be normalised with; every other model takes what works inside
# a step, which is all the rest.
NORMS_WITHOUT_STEPS: dict[str, tuple[str, ...]] = {
    "mlp": ("none", "keras_layer", "keras_batch"),
    "convnet": ("none", "keras_layer", "keras_batch"),
    **dict.fromkeys(FLOORS, ("none",)),
}
