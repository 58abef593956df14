"""``data=series``: rows of numbers from files of the user's."""
