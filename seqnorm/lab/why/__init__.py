"""What ending sequences do to batch statistics: a figure of real batches, ``seqnorm-data why``."""
