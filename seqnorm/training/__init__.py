"""One experiment from top to bottom; `seqnorm.training.run.run` is the way in."""
