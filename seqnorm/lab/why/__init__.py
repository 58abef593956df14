"""What ending sequences do to batch statistics: a figure from real batches, ``experiment=why``."""
