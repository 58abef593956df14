"""Several devices that train one model: each takes its rows of every batch.

The numbers are those of one device with the whole batch, see docs/devices.md.
"""
