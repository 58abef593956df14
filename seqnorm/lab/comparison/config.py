"""The schema of a comparison: a run's, and how many runs of which arms."""

from __future__ import annotations

from dataclasses import dataclass, field

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from seqnorm.lab.config.ranges import at_least, one_of, out_of_range, ranged
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.engine.config import EngineConfig


@dataclass
class RangeConfig:
    """One direction in which settings are tried.

    Attributes:
        keys: config keys that get the value.
        low, high: ends of the range.
        log: whether equal ratios are equally likely.
    """

    keys: list[str] = MISSING
    low: float = MISSING
    high: float = MISSING
    log: bool = False


@dataclass
class CompareConfig:
    """How many runs of which arms.

    Attributes:
        name: of the comparison.
        arms: overrides as of a multirun; commas multiply.
        trials: settings tried for each arm on validation data; 0 takes the configuration as it is.
        trial_seeds: runs of each setting.
        prune: "none" trains each setting to its end; "halving" leaves those behind that are behind
            after a few epochs, see `seqnorm.lab.comparison.halving`.
        eta: of halving: one in so many settings goes on, to so many times the epochs.
        min_epochs: of halving: epochs that each setting has.
        first_trial_seed: seed of the first of them.
        finalists: the best settings of each arm that run again before one is chosen; 0 for none.
        final_seeds: runs of each of these in all.
        seeds: runs on the test set for each arm.
        floors: bag-of-words runs.
        list_seed: seed of the quasi-random list of settings.
        workers: runs at a time; None for one per core, of a cluster one per thread of its workers.
        settings_of: folder of an earlier comparison's runs or results, whose chosen settings
            each arm takes by its cell and norm; only without trials of its own.
        rate_exponent: the learning rate grows with this power of the batch size; only without
            trials.
        threads: threads of each run; part of what makes the numbers the same again.
        space: where settings are drawn from, by name; a direction that is null is not searched.
    """

    name: str = MISSING
    arms: list[str] = MISSING
    trials: int = ranged(MISSING, at_least(0))
    trial_seeds: int = ranged(MISSING, at_least(1))
    prune: str = ranged("none", one_of("none", "halving"))
    eta: int = ranged(3, at_least(2))
    min_epochs: int = ranged(1, at_least(1))
    first_trial_seed: int = MISSING
    finalists: int = ranged(MISSING, at_least(0))
    final_seeds: int = MISSING
    seeds: int = ranged(MISSING, at_least(1))
    floors: int = ranged(MISSING, at_least(0))
    list_seed: int = MISSING
    settings_of: str | None = None
    rate_exponent: float = 0.0
    workers: int | None = ranged(None, at_least(1))
    threads: int = ranged(MISSING, at_least(1))
    space: dict[str, RangeConfig | None] = field(default_factory=dict)

    @property
    def directions(self) -> dict[str, RangeConfig]:
        """The directions of the space that are to be searched."""
        return {name: place for name, place in self.space.items() if place is not None}


@dataclass
class ComparisonConfig(RunConfig):
    """A run, how it is repeated, and where."""

    engine: EngineConfig = MISSING
    compare: CompareConfig = field(default_factory=CompareConfig)


def check(config: CompareConfig) -> None:
    """Refuses numbers that make no comparison.

    Raises:
        ConfigError: naming every offending key with its value.
    """
    problems = [*out_of_range(config, "compare.")]
    if not 0 <= config.seeds <= config.first_trial_seed:
        problems.append(
            "compare.first_trial_seed must lie above the seeds of the test; received "
            f"compare.seeds={config.seeds}, compare.first_trial_seed={config.first_trial_seed}."
        )
    if config.finalists and config.final_seeds <= config.trial_seeds:
        problems.append(
            "compare.final_seeds must be above compare.trial_seeds, or finalists do not run again; "
            f"received compare.final_seeds={config.final_seeds}, compare.trial_seeds="
            f"{config.trial_seeds}. Raise it, or set compare.finalists=0."
        )
    if config.trials and not config.directions:
        problems.append(
            "compare.space needs a direction in which settings are tried; received none, with "
            f"compare.trials={config.trials}. Keep one of compare.space, or set compare.trials=0."
        )
    if config.prune != "none" and not config.trials:
        problems.append(
            "compare.prune is for settings that are tried; received compare.prune="
            f"{config.prune} with compare.trials=0. Set compare.trials, or compare.prune=none."
        )
    for key in ("settings_of", "rate_exponent"):
        if config.trials and getattr(config, key):
            problems.append(
                f"compare.{key} is for arms that are not tuned themselves; received compare.{key}="
                f"{getattr(config, key)} with compare.trials={config.trials}. Set one of them."
            )
    for name, space in config.directions.items():
        if not space.low < space.high or (space.log and space.low <= 0):
            problems.append(
                f"compare.space.{name} needs low < high, and low > 0 with log=true; received "
                f"low={space.low}, high={space.high}, log={space.log}."
            )
    if problems:
        raise ConfigError("\n".join(problems))


ConfigStore.instance().store(group="schema", name="comparison", node=ComparisonConfig)
