"""From run folders to a comparison: table, statistics, figures, report.

Reads plain files only; nothing here imports Keras or TensorFlow.
"""
