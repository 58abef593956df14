#!/usr/bin/env bash
# torch: after an operation on 32,768 numbers or more has returned, one of torch's threads keeps a core busy
# for some milliseconds.
#
# One would guess: when the result of x + 1 is there, the threads that worked on it sleep; a process that
# sleeps uses no processor time.
# What happens: they are OpenMP's, and wait for more work in a loop. A process that sleeps after x + 1 of
# 65,536 numbers uses about 3 ms of processor time meanwhile (two cores); of 32,767 numbers, which torch
# adds in one thread, none. With OMP_WAIT_POLICY=passive it is none as well.
# Why it matters: code with threads of its own that runs next (numba, ONNX Runtime, another library's pool)
# shares a core with the loop. Threads that meet at a barrier all wait for the one that was put aside: a
# time loop of 100 steps took 9 in place of 5.5 ms. A benchmark that times A and B in turn charges B for it.
# Versions: torch 2.13.0 (CPU), Python 3.11.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/busy.py" <<'PY'
import statistics
import sys
import time

import torch

torch.set_num_threads(2)


def busy(numbers):
    """Milliseconds of processor time while the process sleeps after an operation; median of 20."""
    found = []
    for _ in range(20):
        x = torch.ones(numbers)
        time.sleep(0.02)
        x + 1
        before = time.process_time()
        time.sleep(0.02)
        found.append(1e3 * (time.process_time() - before))
    return statistics.median(found)


few, many = busy(32_767), busy(65_536)
print(f"torch {torch.__version__}, {sys.argv[1]}: asleep after 32,767 numbers {few:.2f} ms, 65,536 numbers {many:.2f} ms")
spins = sys.argv[1] == "as it comes"
sys.exit(0 if few < 0.2 and (many > 0.3) == spins else 1)
PY
env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT -u OMP_NUM_THREADS "$work/venv/bin/python" "$work/busy.py" "as it comes"
env -u GOMP_SPINCOUNT -u OMP_NUM_THREADS OMP_WAIT_POLICY=passive "$work/venv/bin/python" "$work/busy.py" OMP_WAIT_POLICY=passive
echo "as described"
