"""Which runs answer one question, and belong to one arm."""
