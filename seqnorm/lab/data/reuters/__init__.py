"""Reuters-21578: its archive, its subsets, and the ids that Keras publishes."""
