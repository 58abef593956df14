"""Why sequences want layer normalisation: one figure from real batches, ``experiment=why``."""
