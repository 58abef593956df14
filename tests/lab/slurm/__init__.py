"""A real SLURM of one node on this machine, and what runs on it."""
