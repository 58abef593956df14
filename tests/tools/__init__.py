"""Trials that take longer than a test may: each is started by hand."""
