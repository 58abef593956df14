"""One call of `seqnorm-train`: what failed in it, and the multirun that it may be."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from seqnorm.lab import console
from seqnorm.lab.config.compose import explain, is_mistake
from seqnorm.lab.durable import of_disk
from seqnorm.lab.errors import UserError
from seqnorm.lab.multirun.jobs import Multirun
from seqnorm.lab.quiet import import_keras
from seqnorm.lab.registry import PARTS


@dataclass
class Session:
    """One call of `seqnorm-train`.

    Attributes:
        argv: the command as it was typed.
        tracebacks: whether they were asked for.
        failed: whether anything has failed in this process.
        multirun: the multirun, once it is composed.
    """

    argv: list[str]
    tracebacks: bool
    failed: bool = False
    multirun: Multirun | None = None

    def stop(self) -> None:
        """Has jobs in other processes end first; what comes before a signal's error."""
        if self.multirun:
            self.multirun.await_the_others()


# Unset in the worker processes of a parallel launcher.
SESSION: ContextVar[Session | None] = ContextVar("session", default=None)


class Refused(BaseException):
    """A mistake that is seen in a callback: of an `Exception` there Hydra makes a warning."""


class BeforeJobs(Callback):
    """What Hydra calls between composing a multirun and starting its jobs."""

    def on_multirun_start(self, config: DictConfig, **kwargs: object) -> None:
        """Makes the folder of the multirun."""
        session = SESSION.get()
        if session is not None:
            try:
                with _resolvable(config):
                    session.multirun = Multirun(config)
                if PARTS:
                    load_keras_first(GlobalHydra.instance().config_loader())
            except Exception as error:
                raise Refused from error


class _Keras:
    """Where it is unpickled Keras is loaded, without a greeting."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return import_keras, ()


def load_keras_first(context: object) -> None:
    """Has a launcher's process load Keras before a module of the user's does so, and aloud.

    Args:
        context: what a launcher pickles before the configuration, whose classes are the user's.
    """
    context.__dict__ = {"keras": _Keras(), **vars(context)}


@contextmanager
def _resolvable(config: DictConfig) -> Iterator[None]:
    """Lets ${hydra:...} be asked for, as in a job: Hydra itself provides for it only there."""
    hydra_config = HydraConfig.instance()
    before = hydra_config.cfg
    hydra_config.set_config(config)
    try:
        yield
    finally:
        hydra_config.cfg = before


def show(error: BaseException, job: str = "") -> None:
    """Says on standard error what failed.

    A mistake of the user's is one message; anything else has its traceback, and so has everything
    if `Session.tracebacks`.
    """
    session = SESSION.get()
    lead = f"seqnorm-train: {job} " if job else "seqnorm-train: "
    if _is_the_users(error) and not (session and session.tracebacks):
        _say(f"{lead}{explain(error)}")
    else:
        if job:
            _say(f"{lead}failed")
        traceback.print_exception(error)


def _say(line: str) -> None:
    """In one write: of two, as `print` makes where Python does not buffer, workers' lines mix."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def in_one_line(error: BaseException) -> str:
    """What an error says, for a list."""
    said = explain(error) if _is_the_users(error) else f"{type(error).__name__}: {error}"
    return " ".join(console.uncoloured(said).split())


def _is_the_users(error: BaseException) -> bool:
    return isinstance(error, UserError) or is_mistake(error) or of_disk(error)
