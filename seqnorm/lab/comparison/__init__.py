"""A whole comparison: which runs there are, which settings are chosen, and what is missing."""
