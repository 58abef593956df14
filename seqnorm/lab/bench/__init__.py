"""Measures training steps against Keras's own layers and the bare matrix products."""
