"""Where the numbers of a run go: JSON lines always, Weights & Biases on request.

Nothing here imports Keras or TensorFlow, and `wandb` is imported only when it was asked for.
"""

from seqnorm.lab.tracking.factory import make_sinks
from seqnorm.lab.tracking.jsonl import JsonlSink
from seqnorm.lab.tracking.sink import MultiSink, Sink
from seqnorm.lab.tracking.wandb_sink import WandbSink

__all__ = ["JsonlSink", "MultiSink", "Sink", "WandbSink", "make_sinks"]
