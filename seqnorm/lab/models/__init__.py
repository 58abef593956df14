"""Models built from a configuration, and the baselines that need no recurrence."""
