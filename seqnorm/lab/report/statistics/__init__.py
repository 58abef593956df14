"""Numbers from arrays of scores: intervals, curves, budgets."""
