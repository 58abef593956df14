"""Where the numbers of a run go: JSON lines always, Weights & Biases on request.

Nothing here imports Keras or TensorFlow, and `wandb` is imported only when it was asked for.
"""

from seqnorm.tracking.factory import make_sinks
from seqnorm.tracking.jsonl import JsonlSink
from seqnorm.tracking.sink import MultiSink, Sink
from seqnorm.tracking.wandb_sink import WandbSink

__all__ = ["JsonlSink", "MultiSink", "Sink", "WandbSink", "make_sinks"]
