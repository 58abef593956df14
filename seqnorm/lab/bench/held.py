"""What a process holds in memory, and the most that it has held (Linux)."""

from __future__ import annotations

from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def mebibytes(field: str) -> float:
    """VmRSS (held now) or VmHWM (the most since the last reset)."""
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def reset_peak() -> None:
    """From here on VmHWM is the most since now."""
    _RESET.write_text("5")
