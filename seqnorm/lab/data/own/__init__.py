"""Texts of the user's own: from files, or from any data set of TensorFlow Datasets."""
