"""Which runs a comparison is made of, each with its complete configuration and its lasting name."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from seqnorm.lab.comparison.chosen import Chosen, chosen_before
from seqnorm.lab.comparison.config import CompareConfig, ComparisonConfig, RangeConfig, check
from seqnorm.lab.comparison.expand import check_quotes, expand
from seqnorm.lab.comparison.halving import rungs_of
from seqnorm.lab.comparison.refusals import refuse_fixed_keys, refuse_what_has_no_effect
from seqnorm.lab.comparison.settings import draw_settings, rounded
from seqnorm.lab.comparison.space import Space
from seqnorm.lab.config.arguments import refuse_hidden
from seqnorm.lab.config.compose import explain, floor_of, is_mistake, refuse_changed_keys
from seqnorm.lab.config.data import DataConfig
from seqnorm.lab.config.imports import load_parts_of
from seqnorm.lab.config.overrides import refuse_unreadable
from seqnorm.lab.config.rules import ConfigError, validate
from seqnorm.lab.config.schema import RunConfig, conf_dir
from seqnorm.lab.config.tasks import TaskConfig, floor
from seqnorm.lab.engine.config import EngineConfig
from seqnorm.lab.engine.config import check as check_engine
from seqnorm.lab.engine.job import Job
from seqnorm.lab.report.arms.trials import LEARNING_RATE
from seqnorm.lab.tracking.factory import refuse_one_id
from seqnorm.lab.training.replicas.place import refuse_processes_together


class Plan:
    """The runs of one comparison.

    Args:
        overrides: What was asked for on the command line.
        config_dirs: Folders of choices of one's own.

    Attributes:
        rungs: How long which number of settings is trained.

    Raises:
        ConfigError: If that is no comparison.
    """

    def __init__(self, overrides: Sequence[str], config_dirs: Sequence[Path] = ()) -> None:
        check_quotes(overrides)
        load_parts_of(overrides, config_dirs)
        refuse_hidden(config_dirs)
        refuse_unreadable(overrides)
        self.overrides = list(overrides)
        places = ",".join(f'"file://{folder.absolute()}"' for folder in config_dirs)
        self._search = [f"hydra.searchpath=[{places}]"] if places else []
        self.without_arm = composed = self._compose(())
        self.compare: CompareConfig = cast(Any, OmegaConf.to_object(composed.compare))
        check(self.compare)
        self.engine: EngineConfig = cast(Any, OmegaConf.to_object(composed.engine))
        check_engine(self.engine)
        refuse_one_id(composed.tracking, "a comparison")
        self.folder = Path(composed.runs_dir).expanduser()
        self.arms = [" ".join(tokens) for tokens in expand(self.compare.arms)]
        refuse_fixed_keys(overrides, self.arms, self._wanted() if self.compare.trials else ())
        refuse_what_has_no_effect(overrides, self.arms)
        for composed in self._composed.values():
            refuse_processes_together(composed.train, "a comparison")
        self.space, self.left_out = self._searched_space()
        self.settings = draw_settings(self.space, self.compare.trials, self.compare.list_seed)
        self.rungs = rungs_of(self.compare, [*self._composed.values()])
        self._refuse_several("data", "on which its floor is trained as well")
        self._refuse_several("task", "by whose scores its arms are compared")
        self._refuse_equal_arms()
        if self.compare.settings_of:  # before anything runs
            for arm in self.arms:
                self.untuned(arm)

    def _wanted(self) -> list[str]:
        return [key for place in self.compare.directions.values() for key in place.keys]

    def _searched_space(self) -> tuple[dict[str, RangeConfig], list[str]]:
        """The directions that are searched, and in sentences what is left out of those given."""
        if not self.compare.trials:
            return {}, []
        space = Space(self.compare.directions, self.without_arm, [*self._composed.values()])
        return space.directions, space.left_out

    def _refuse_several(self, group: str, why: str) -> None:
        names = sorted({composed[group].name for composed in self._composed.values()})
        if len(names) > 1:
            what = {"data": "data set"}.get(group, group)
            raise ConfigError(
                f"a comparison is of one {what}, {why}; received compare.arms with "
                f"{group}={','.join(names)}. Make one comparison of each."
            )

    def _refuse_equal_arms(self) -> None:
        names = {arm: self._job(arm, 0, {}).name for arm in self.arms}
        equal = [arm for arm, name in names.items() if list(names.values()).count(name) > 1]
        if equal:
            raise ConfigError(
                f"compare.arms needs arms that differ in what is run; received {equal}, which are "
                "one configuration. Keep one of them."
            )

    def _compose(self, arm: Sequence[str]) -> DictConfig:
        """The configuration of an arm; its own overrides replace those of the command line."""
        own = {token.partition("=")[0] for token in arm}
        kept = [token for token in self.overrides if token.partition("=")[0] not in own]
        try:
            with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
                composed = hydra.compose("comparison", [*self._search, *kept, *arm])
            refuse_changed_keys(composed, "the configuration")
            for name, place in composed.compare.space.items():
                if place is not None:
                    refuse_changed_keys(place, f"compare.space.{name}")
            return composed
        except Exception as error:
            if not is_mistake(error):
                raise
            where = f"In the arm '{' '.join(arm)}': " if arm else ""
            raise ConfigError(where + explain(error)) from error

    @cached_property
    def _composed(self) -> dict[str, DictConfig]:
        return {arm: self._compose(arm.split()) for arm in self.arms}

    @property
    def data(self) -> DataConfig:
        """The data set of all arms, as the first of them reads it."""
        return cast(DataConfig, OmegaConf.to_object(self._composed[self.arms[0]].data))

    def _searched(self, arm: str) -> list[str]:
        """The keys of the space that an arm's configuration has."""
        composed = self._composed[arm]
        return [key for key in self._wanted() if OmegaConf.select(composed, key) is not None]

    def _job(
        self,
        arm: str,
        seed: int,
        setting: dict[str, float],
        number: int | None = None,
        until: int | None = None,
    ) -> Job:
        composed = copy.deepcopy(self._composed[arm])
        for key, value in setting.items():
            if OmegaConf.select(composed, key) is not None:
                OmegaConf.update(composed, key, value)
        composed.train.test = number is None
        return Job(arm, number, _run_config(composed, arm, seed), until)

    @cached_property
    def _chosen_before(self) -> Chosen | None:
        folder, keys = self.compare.settings_of, {k for a in self.arms for k in self._searched(a)}
        data = self._composed[self.arms[0]].data.name
        return chosen_before(Path(folder).expanduser(), data, keys) if folder else None

    def untuned(self, arm: str) -> dict[str, float]:
        """The settings of an arm without trials: those of an earlier comparison, or its own.

        The learning rate is that of one batch size, and grows with a power of it.
        """
        composed = self._composed[arm]
        setting: dict[str, float] = {LEARNING_RATE: composed.optim.learning_rate}
        size = self.without_arm.data.batch_size
        if self._chosen_before is not None:
            found, size = self._chosen_before.of(composed.cell.name, composed.norm.name)
            setting |= found
        growth = (composed.data.batch_size / size) ** self.compare.rate_exponent
        if growth != 1.0:
            setting[LEARNING_RATE] = rounded(setting[LEARNING_RATE] * growth)
        return setting

    def trials(
        self, numbers: Mapping[str, Collection[int]] | None = None, until: int | None = None
    ) -> Iterator[Job]:
        """Settings for every arm, setting by setting, so that all arms get on together.

        Args:
            numbers: Of the settings of each arm; None for all of all arms.
            until: Epochs after which the runs are paused; None for no pause.
        """
        first = self.compare.first_trial_seed
        every = range(len(self.settings))
        wanted = dict.fromkeys(self.arms, every) if numbers is None else numbers
        for number in every:
            for arm in (arm for arm in self.arms if number in wanted.get(arm, ())):
                for seed in range(first, first + self.compare.trial_seeds):
                    yield self._job(arm, seed, self.settings[number], number, until)

    def finals(self, numbers: Mapping[str, Sequence[int]]) -> Iterator[Job]:
        """Further runs of some settings on validation data, seed by seed.

        Args:
            numbers: Of the settings of each arm.
        """
        first, compare = self.compare.first_trial_seed, self.compare
        for seed in range(first + compare.trial_seeds, first + compare.final_seeds):
            for arm, of_arm in numbers.items():
                for number in of_arm:
                    yield self._job(arm, seed, self.settings[number], number)

    @property
    def number_of_floors(self) -> int:
        """How many runs of a floor there are: where no such model can do the task, none."""
        return self.compare.floors if self.floor else 0

    @cached_property
    def floor(self) -> str | None:
        """The model without recurrence that can do the task too."""
        task, data = (OmegaConf.to_object(self.without_arm[group]) for group in ("task", "data"))
        return floor(cast(TaskConfig, task), data)

    def floors(self) -> Iterator[Job]:
        """The runs of what has no recurrence."""
        if not self.number_of_floors:
            return
        arm = f"model={self.floor}"
        for seed in range(self.number_of_floors):
            config = floor_of(_run_config(copy.deepcopy(self.without_arm), arm, seed))
            yield Job(arm, None, cast(RunConfig, config))

    def tests(self, chosen: dict[str, int], without: Collection[str] = ()) -> Iterator[Job]:
        """The runs on the test set.

        Args:
            chosen: Number of the setting that was chosen for each arm; empty without trials.
            without: Arms that are left out.
        """
        for seed in range(self.compare.seeds):
            for arm in (arm for arm in self.arms if arm not in without):
                setting = self.settings[chosen[arm]] if chosen else self.untuned(arm)
                yield self._job(arm, seed, setting)


def _run_config(composed: DictConfig, arm: str, seed: int) -> RunConfig:
    """What is left of a comparison's configuration, which it changes, for one run."""
    composed.seed, composed.arm = seed, arm
    whole = cast(ComparisonConfig, OmegaConf.to_object(composed))
    config = RunConfig(**{entry.name: getattr(whole, entry.name) for entry in fields(RunConfig)})
    validate(config)
    return config
