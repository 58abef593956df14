"""What ending sequences do to batch statistics: a figure from real batches, ``seqnorm-data why``."""
