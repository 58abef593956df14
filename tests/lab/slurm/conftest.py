"""SLURM's daemons, started for these tests on 127.0.0.1 and stopped by their ids."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

DAEMONS = ("munged", "slurmctld", "slurmd")
LATEST = 60  # seconds for the node to become idle
# `ProctrackType` is needed: without cgroups a job would end as completed without having run.
CONFIG = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _path() -> str:
    """Where Debian puts daemons, which is not in everybody's path."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _start(folder: Path) -> None:
    """Each goes into the background, and writes its id into the folder."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o400)
    config = CONFIG.format(
        host=socket.gethostname().partition(".")[0], folder=folder, user=getpass.getuser(),
        controller=_free_port(), node=_free_port(), cpus=os.cpu_count(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10 // 2**20,
    )  # fmt: skip
    (folder / "slurm.conf").write_text(config)
    munge = {
        name: str(folder / f"munge.{name}") for name in ("socket", "pid", "key", "seed", "log")
    }
    options = [
        f"--socket={munge['socket']}", f"--pid-file={munge['pid']}", f"--seed-file={munge['seed']}",
        f"--key-file={munge['key']}", f"--log-file={munge['log']}", "--force",
    ]  # fmt: skip
    for command in (["munged", *options], ["slurmctld"], ["slurmd"]):
        program = shutil.which(command[0], path=_path())
        assert program is not None
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, timeout=LATEST
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _await_node(folder: Path) -> None:
    deadline = time.monotonic() + LATEST
    while True:
        done = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True)
        if done.stdout.strip() == "idle":
            return
        logs = [path.read_text() for path in folder.glob("slurm*.log")]
        assert time.monotonic() < deadline, "\n".join([done.stdout, done.stderr, *logs])
        time.sleep(0.2)


def _end_jobs() -> None:
    """Cancels what runs or waits, and waits for what ends."""
    subprocess.run(["scancel", f"--user={getpass.getuser()}"], capture_output=True)
    deadline = time.monotonic() + LATEST
    while subprocess.run(["squeue", "-h"], capture_output=True).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _stop(folder: Path) -> None:
    for name in ("slurmd", "slurmctld", "munge"):
        with suppress(OSError, ValueError):
            number = int((folder / f"{name}.pid").read_text())
            os.kill(number, signal.SIGTERM)
            _await_end(number)


def _await_end(number: int) -> None:
    for _ in range(50):
        with suppress(ProcessLookupError):
            os.kill(number, 0)
            time.sleep(0.1)
            continue
        return
    os.kill(number, signal.SIGKILL)


@pytest.fixture(scope="session", autouse=True)
def slurm() -> Iterator[None]:
    """One node with all of this machine's cores; `sbatch`, `squeue` and `scancel` find it."""
    missing = [name for name in (*DAEMONS, "sbatch") if shutil.which(name, path=_path()) is None]
    if missing:
        pytest.skip(
            f"needs SLURM, and {', '.join(missing)} is missing: apt-get install slurmctld slurmd "
            "slurm-client munge"
        )
    with tempfile.TemporaryDirectory(prefix="slurm-") as place:
        folder = Path(place)
        before = os.environ.get("SLURM_CONF")
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        try:
            _start(folder)
            _await_node(folder)
            yield
        finally:
            _end_jobs()
            _stop(folder)
            if before is None:
                del os.environ["SLURM_CONF"]
            else:
                os.environ["SLURM_CONF"] = before
