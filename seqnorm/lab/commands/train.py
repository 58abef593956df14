"""``seqnorm-train``: compose the configuration, hand over to the training, set the exit code.

TensorFlow is imported only once a job starts, so that help and misspelt keys answer at once.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from seqnorm.lab.config.compose import explain, is_mistake, to_run_config
from seqnorm.lab.config.help import config_dirs, help_text
from seqnorm.lab.config.imports import load_parts, load_parts_of
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import conf_dir
from seqnorm.lab.durable import of_disk
from seqnorm.lab.errors import UserError
from seqnorm.lab.training import require_tensorflow

# TensorFlow greets on stderr and reports missing GPUs as errors; what matters it raises.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@dataclass
class _Session:
    """One call of `main`: whether tracebacks were asked for, and the jobs that failed."""

    tracebacks: bool
    failed: list[BaseException] = field(default_factory=list)

    def report(self, error: BaseException, job: str = "") -> None:
        self.failed.append(error)
        mistake = isinstance(error, UserError) or is_mistake(error) or of_disk(error)
        if mistake and not self.tracebacks:
            print(f"seqnorm-train: {job}{explain(error)}", file=sys.stderr)
        else:
            if job:
                print(f"seqnorm-train: {job}failed", file=sys.stderr)
            traceback.print_exception(error)


# Unset in the worker processes of a parallel launcher: there a failure has to be raised, since an
# exception is all that reaches the parent.
_SESSION: ContextVar[_Session | None] = ContextVar("session", default=None)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs every job that the arguments ask for.

    A mistake of the user's (a misspelt key, missing data) or a full disk is one message on stderr;
    a fault of the program keeps its traceback, and so does everything if HYDRA_FULL_ERROR=1. In a
    multirun the jobs after a failed one still run, and messages begin with the job's overrides.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        The exit code: 0, 1 if the configuration is wrong or any job failed, 130 if interrupted.
        A run that diverged has a result and counts as a success.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if {"-h", "--help"} & set(arguments):
        print(help_text(arguments))
        return 0
    session = _Session(tracebacks=os.environ.get("HYDRA_FULL_ERROR") == "1")
    token = _SESSION.set(session)
    try:
        load_parts_of(arguments, config_dirs(arguments))
        with _hydra_surroundings(arguments):
            hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(
                _job
            )()
    except KeyboardInterrupt:
        print(
            "seqnorm-train: interrupted; a run without result.json is unfinished", file=sys.stderr
        )
        return 130
    except Exception as error:
        session.report(error)
    finally:
        _SESSION.reset(token)
    return 1 if session.failed else 0


def _job(config: DictConfig) -> float | None:
    """One run; returns the validation accuracy, for sweepers that maximise a number."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # each job's graph is traced anew
    try:
        load_parts(config.get("imports", ()))  # a launcher's worker has not seen the command line
        run_config = to_run_config(config)
        _refuse_scratch(run_config.runs_dir)
        require_tensorflow()
        from seqnorm.lab.training.run import run

        return run(run_config).get("val_accuracy")
    except Exception as error:
        session = _SESSION.get()
        if session is None:
            raise
        session.report(error, _job_name())
        return None


def _job_name() -> str:
    """The overrides of this job of a multirun, in brackets; empty for a single run."""
    hydra_config = HydraConfig.get()
    if hydra_config.mode != RunMode.MULTIRUN:
        return ""
    return f"[{' '.join(hydra_config.overrides.task)}] "


def _refuse_scratch(runs_dir: str) -> None:
    """Refuses runs in the folder that Hydra's own files go into, which is removed at the end."""
    scratch = os.environ.get("SEQNORM_SCRATCH")  # a cluster's job may not have it
    place = Path(runs_dir).expanduser().resolve()
    if scratch and place.is_relative_to(Path(scratch).resolve()):
        raise ConfigError(
            f"runs_dir must be a folder that stays; received runs_dir={runs_dir} in a job that "
            "Hydra moved to its own folder, which is removed at the end. Leave hydra.job.chdir and "
            "hydra.runtime out, or give an absolute runs_dir."
        )


@contextmanager
def _hydra_surroundings(arguments: Sequence[str]) -> Iterator[None]:
    """What `hydra.main` reads from the process: the arguments and two environment variables."""
    # Hydra's parser would refuse a flag between overrides: norm=none,layer -m seed=0,1
    flags_first = sorted(arguments, key=lambda argument: argument not in ("-m", "--multirun"))
    with TemporaryDirectory(prefix="seqnorm-") as scratch:
        variables = {
            "HYDRA_FULL_ERROR": "1",  # raise errors, so that they can be explained here
            "SEQNORM_SCRATCH": scratch,  # where conf/hydra lets multirun.yaml be written
        }
        argv, before = sys.argv, {name: os.environ.get(name) for name in variables}
        sys.argv = [argv[0], *flags_first]
        os.environ.update(variables)
        try:
            yield
        finally:
            sys.argv = argv
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


if __name__ == "__main__":
    sys.exit(main())
