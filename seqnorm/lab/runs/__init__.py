"""The run folder: its files, its name, how it is written, found and read."""
