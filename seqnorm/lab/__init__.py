"""The experiment around the cells: data, training, comparison, report, and the commands."""
