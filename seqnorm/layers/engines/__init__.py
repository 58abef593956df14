"""The ways to run cells over time: the portable loop, and the fused kernels where they can."""
