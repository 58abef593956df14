"""What a run of the stand-in does, by its seed; others are made at once."""

FAILS = 100  # by an error of its own
WAITS = 200  # until it is stopped
DIES = 300  # each time it is made
DIES_ONCE = 400
TAKES_ITS_WORKER_ALONG = 500  # once
FULL = 600  # where the environment has FULL, there is no space left
