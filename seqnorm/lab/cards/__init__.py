"""Data cards: what a data set and its batches look like, in numbers and pictures."""
