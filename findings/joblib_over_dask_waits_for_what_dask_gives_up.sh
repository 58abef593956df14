#!/usr/bin/env bash
# joblib over Dask: a task that Dask gives up is waited for without end.
#
# One would guess: when a worker dies more often than the scheduler allows, Dask fails the task with
# KilledWorker, and joblib.Parallel raises that, as it raises TerminatedWorkerError over loky.
# What happens: Parallel never returns, with return_as="list", "generator" and "generator_unordered".
# joblib's backend sets the error on its future, but its callback, by which Parallel learns of tasks
# that have ended, is only called for results (joblib/_dask.py, `_collect`).
# Why it matters: a search over a cluster hangs for good after its last task, without a word, because
# of one task that needs too much memory. A backend of twenty lines over `Client.get_executor()`
# tells of the error.
# Versions: joblib 1.6.0, distributed 2026.8.0, dask 2026.8.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet joblib==1.6.0 distributed==2026.8.0 dask==2026.8.0
cat > "$work/try.py" <<'PY'
import os
import signal
import sys
import threading
from importlib.metadata import version

import dask
from distributed import Client, KilledWorker, LocalCluster
from joblib import Parallel, delayed, parallel_config

LATEST = 30  # seconds; the tasks take none


def work(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)  # as the system does for want of memory
    return number


def main(return_as):
    dask.config.set({"distributed.scheduler.allowed-failures": 0})
    ended = []

    def all_of_them():
        try:
            tasks = (delayed(work)(number) for number in range(4))
            ended.append(sorted(Parallel(n_jobs=2, return_as=return_as)(tasks)))
        except Exception as error:
            ended.append(type(error).__name__)

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster, Client(cluster) as client:
        try:
            client.submit(work, 2).result()
        except KilledWorker:
            print("Dask itself: KilledWorker")
        client.wait_for_workers(2)  # of a cluster with one thread joblib works in this process

        def over_dask():
            with parallel_config(backend="dask"):
                all_of_them()

        thread = threading.Thread(target=over_dask, daemon=True)
        thread.start()
        thread.join(LATEST)
        print(f"joblib, {return_as}: {ended or f'nothing after {LATEST} s'}", flush=True)
        os._exit(0 if not ended else 1)


if __name__ == "__main__":
    print(", ".join(f"{name} {version(name)}" for name in ("joblib", "distributed", "dask")))
    main(sys.argv[1])
PY
for return_as in list generator_unordered; do
  "$work/venv/bin/python" "$work/try.py" "$return_as" 2>/dev/null
done
