"""What the processor is and offers: name, vector length, tile size and the number of threads."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


def processor_name() -> str:
    """As the system has it: "AMD EPYC 9B45", or just the kind, as "arm64"."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@cache
def features() -> frozenset[str]:
    """Names of the instruction-set extensions that LLVM found on this machine."""
    import llvmlite.binding as llvm

    return frozenset(name for name, present in llvm.get_host_cpu_features().items() if present)


def vector_bytes() -> int:
    """Length of the widest vector register in bytes: 64 (AVX-512), 32 (AVX) or 16 (SSE, NEON)."""
    if "avx512f" in features():
        return 64
    return 32 if "avx" in features() else 16


def tile_rows() -> int:
    """Rows of one register tile: eight where there are 32 vector registers, else six.

    Two accumulators a row, two registers for the panel and one broadcast must fit.
    """
    return 6 if vector_bytes() == 32 else 8


def usable_cores() -> int:
    """Cores that this process may use, of which a cpuset or taskset can leave a part.

    A quota of processor time, as of `docker run --cpus`, is not among them: set SEQNORM_THREADS.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads() -> int:
    """Threads a kernel call is split over: `SEQNORM_THREADS`, else the cores this process may use.

    Raises:
        ValueError: `SEQNORM_THREADS` is not a whole number above zero.
    """
    text = os.environ.get("SEQNORM_THREADS", "")
    if not text:
        return usable_cores()
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(
            "SEQNORM_THREADS must be a whole number above zero, "
            f"received SEQNORM_THREADS={text!r}; unset it to use every core."
        )
    return int(text)
