"""``seqnorm-train``: compose the configuration, hand over to the training, set the exit code.

TensorFlow is imported only once a job starts, so that help and misspelt keys answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from seqnorm.lab import console
from seqnorm.lab.config import presets
from seqnorm.lab.config.arguments import config_dirs, for_hydra, split
from seqnorm.lab.config.compose import to_run_config
from seqnorm.lab.config.help import announcement, help_text
from seqnorm.lab.config.imports import load_parts, load_parts_of
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import RunConfig, conf_dir
from seqnorm.lab.errors import blame_the_input
from seqnorm.lab.lifeline import end_if_outlived
from seqnorm.lab.multirun.jobs import FOLDER
from seqnorm.lab.multirun.ledger import FAILED, MADE, STOPPED, Job, JobFailed, Ledger
from seqnorm.lab.multirun.session import SESSION, Refused, Session, in_one_line, show
from seqnorm.lab.multirun.worker import in_a_process_of_its_own, show_in_the_queue
from seqnorm.lab.runs.code import warn_of_other_code
from seqnorm.lab.runs.naming import run_prefix
from seqnorm.lab.runs.read import read_environment
from seqnorm.lab.runs.result import Result
from seqnorm.lab.runs.stopped import finished_run, refuse_another_run
from seqnorm.lab.signals import exit_code, stoppable
from seqnorm.lab.training import require_tensorflow
from seqnorm.lab.training.replicas.place import place_of, refuse_processes_together


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Runs every job that the arguments ask for.

    A mistake of the user's (a misspelt key, missing data) or a full disk is one message on stderr;
    a fault of the program keeps its traceback, and so does everything if HYDRA_FULL_ERROR=1. In a
    multirun the jobs after a failed one still run, messages begin with the job's overrides, and the
    jobs that failed are listed again at the end.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        The exit code: 0, 1 if the configuration is wrong or any job failed, 130, 143 or 129 if
        interrupted by Ctrl-C, SIGTERM or SIGHUP. A run that diverged has a result and counts as a
        success.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if {"-h", "--help"} & set(arguments):
        print(help_text(arguments))
        return 0
    program = sys.argv[0] if argv is None else "seqnorm-train"  # which runs keep with the rest
    session = Session([program, *arguments], tracebacks=os.environ.get("HYDRA_FULL_ERROR") == "1")
    token = SESSION.set(session)
    try:
        load_parts_of(arguments, config_dirs(arguments))
        with stoppable(session.stop), _hydra_surroundings(program, for_hydra(arguments)):
            hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(
                _job
            )()
    except KeyboardInterrupt as stop:
        return _interrupted(session, stop)
    except Refused as refused:
        _fail(session, refused.__cause__ or refused)
    except Exception as error:
        _fail(session, error)
    finally:
        SESSION.reset(token)
    return _closed(session)


def _fail(session: Session, error: BaseException) -> None:
    """An error outside of the jobs, or a launcher's or a sweeper's about them."""
    session.failed = True
    said = session.multirun.gave_up(error) if session.multirun else ""
    if said:
        print(f"seqnorm-train: {said}", file=sys.stderr)
    if session.tracebacks or not said:
        show(error)


def _closed(session: Session) -> int:
    multirun = session.multirun
    if multirun:
        failures = multirun.failures()
        if failures:
            session.failed = True
            print("\n".join([f"seqnorm-train: {failures[0]}", *failures[1:]]), file=sys.stderr)
        for line in multirun.best():
            print(line)
        multirun.ledger.remove()
    return 1 if session.failed else 0


def _interrupted(session: Session, stop: KeyboardInterrupt) -> int:
    multirun = session.multirun
    print("seqnorm-train: interrupted; the same command goes on from here", file=sys.stderr)
    if multirun and multirun.queued:
        print(f"seqnorm-train: {multirun.in_the_queue()}", file=sys.stderr)
    elif multirun:
        multirun.ledger.remove()
    return exit_code(stop)


def _job(config: DictConfig) -> float | None:
    """One run; returns its validation score, for sweepers that search for the best one.

    Nothing that fails leaves a process of a launcher's as an error, or the launcher would give the
    other jobs up: it is noted. Only to a sweeper that searches a failure has to be an error.
    """
    hydra_config = HydraConfig.get()
    if hydra_config.mode != RunMode.MULTIRUN:
        try:
            return _run(config)
        except Exception as error:
            _fail(cast(Session, SESSION.get()), error)
            return None
    ledger = Ledger(Path(hydra_config.sweep.dir))
    job = Job(hydra_config.job.num, list(hydra_config.overrides.task))
    try:
        own = nullcontext() if SESSION.get() else in_a_process_of_its_own(job, ledger)
        with own, console.forgiving():
            ledger.note(job)
            score = _run(config)
        job.state = MADE
        return score
    except Exception as error:
        job.state, job.message = FAILED, in_one_line(error)
        show(error, job.name)
        if hydra_config.sweeper._target_.endswith(".BasicSweeper"):
            return None
        raise JobFailed(job.message) from None
    except BaseException:
        job.state = STOPPED
        raise
    finally:
        ledger.note(job)
        end_if_outlived()


def _run(config: DictConfig) -> float | None:
    load_parts(config.get("imports", ()))  # a launcher's process has not seen the command line
    run_config = to_run_config(config)
    _refuse_multirun_folder(run_config.runs_dir)
    session = SESSION.get()
    by_default = False
    if session is not None:
        sys.argv = session.argv  # what a run records as its command
        by_default = not split(session.argv[1:])[0]
    from seqnorm.lab.data import refuse_missing

    with blame_the_input():
        refuse_missing(run_config.data)
    multirun = HydraConfig.get().mode == RunMode.MULTIRUN
    if multirun:
        refuse_processes_together(run_config.train, "a multirun")
    place = place_of(run_config.train)
    if not place.is_chief:
        which = f"process {place.index} of {place.processes}"
        print(f"{which}: the first one keeps the run", flush=True)
        return _trained(run_config)
    refuse_another_run(run_config)
    made = finished_run(run_config) if multirun else None
    if made:
        print(f"{made.path} is this run, finished; resume=never makes it again", flush=True)
        warn_of_other_code([(made.path, read_environment(made.path))])
        return made.result.objective
    print(announcement(run_config, by_default), flush=True)
    show_in_the_queue(run_prefix(run_config))
    return _trained(run_config)


def _trained(config: RunConfig) -> float | None:
    """The validation score; None in a process that is not the chief of several."""
    require_tensorflow()
    from seqnorm.lab.training.run import run

    result: Result | None = run(config)
    return result.objective if result else None


def _refuse_multirun_folder(runs_dir: str) -> None:
    """Refuses runs where the report does not look: below the files of launchers and sweepers."""
    if FOLDER in Path(runs_dir).expanduser().absolute().parts:
        raise ConfigError(
            f"runs_dir must be a folder that reports look into; received runs_dir={runs_dir} in a "
            f"job that Hydra moved to its own folder, below {FOLDER}. Leave hydra.job.chdir and "
            "hydra.runtime out, or give an absolute runs_dir."
        )


@contextmanager
def _hydra_surroundings(program: str, arguments: Sequence[str]) -> Iterator[None]:
    """What `hydra.main` reads from the process: the command line and one environment variable."""
    argv, before = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    presets.register()
    sys.argv = [program, *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise errors, so that they can be explained here
    try:
        yield
    finally:
        sys.argv = argv
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


if __name__ == "__main__":
    # By its name: launchers pickle what is of __main__ by value, the session's variable with it.
    from seqnorm.lab.commands.train import main as named_main

    sys.exit(named_main())
