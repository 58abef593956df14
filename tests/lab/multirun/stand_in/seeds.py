"""What a run of the stand-in does, by its seed."""

FAILS, WAITS, DIES, DIVERGES, BREAKS = 100, 200, 300, 400, 500
