"""The directions in which a comparison tries settings: those that some arm has a use for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import cast

from omegaconf import DictConfig, OmegaConf

from seqnorm.lab.comparison.config import RangeConfig
from seqnorm.lab.config.data import SeriesConfig
from seqnorm.lab.config.models import ModelConfig
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import conf_dir
from seqnorm.spelling import did_you_mean

_EXAMPLE = "optim.learning_rate"


class Space:
    """What is searched of the directions that a comparison was given.

    A direction of the default space that no arm has a use for is left out, and so is such a key of
    a direction; what was asked for is refused instead.

    Args:
        given: the directions by name.
        without_arm: the configuration that the arms build upon.
        arms: their configurations.

    Attributes:
        directions: those that are searched, each with the keys that some arm has a use for.
        left_out: a sentence for each direction or key that is not.

    Raises:
        ConfigError: if an arm has no use for what was asked for, or no direction is left.
    """

    def __init__(
        self,
        given: Mapping[str, RangeConfig],
        without_arm: DictConfig,
        arms: Sequence[DictConfig],
    ) -> None:
        self._idle = {key for config in arms for key in _of_ids_alone(config)}
        # Without a norm there is no gain: a key of the configuration without arms is no mistake.
        self._configs = [without_arm, *arms]
        self.directions: dict[str, RangeConfig] = {}
        self.left_out: list[str] = []
        for name, place in given.items():
            useful = [key for key in place.keys if self._is_useful(key)]
            missing = [key for key in place.keys if key not in useful]
            if missing and not self._may_leave_out(name, place, useful):
                raise ConfigError(self._refusal(name, place.keys, missing))
            if useful:
                self.directions[name] = replace(place, keys=useful)
            self.left_out += self._said(name, useful, missing)
        if not self.directions:
            raise ConfigError(
                "compare.space needs a direction in which settings are tried; received "
                f"{', '.join(given)}. {' '.join(self.left_out)} Give one other keys, as in "
                f"compare.space.{min(given)}.keys=[{_EXAMPLE}], or set compare.trials=0."
            )

    def _is_useful(self, key: str) -> bool:
        known = any(OmegaConf.select(config, key) is not None for config in self._configs)
        return known and key not in self._idle

    def _may_leave_out(self, name: str, place: RangeConfig, useful: Sequence[str]) -> bool:
        """Whether nobody has asked for what is missing: the keys are the default's.

        With another range something of the direction must be left to be searched.
        """
        default = _default_space().get(name)
        if default is None or place.keys != default.keys:
            return False
        return bool(useful) or place == default

    def _why(self, keys: Sequence[str]) -> str:
        idle = [key for key in keys if key in self._idle]
        absent = [key for key in keys if key not in idle]
        reasons = [f"no arm has {' or '.join(absent)}"] if absent else []
        reasons += [f"rows of numbers have no use for {' or '.join(idle)}"] if idle else []
        return ", and ".join(reasons)

    def _said(self, name: str, useful: Sequence[str], missing: Sequence[str]) -> Iterator[str]:
        if missing and useful:
            yield f"compare.space.{name} sets {', '.join(useful)} only: {self._why(missing)}."
        elif missing:
            yield f"compare.space.{name} is not searched: {self._why(missing)}."

    def _refusal(self, name: str, keys: Sequence[str], missing: Sequence[str]) -> str:
        near = "".join(dict.fromkeys(did_you_mean(key, self._known_keys()) for key in missing))
        return (
            f"compare.space.{name} needs keys that some arm has a use for; received "
            f"compare.space.{name}.keys=[{', '.join(keys)}]: {self._why(missing)}.{near} "
            f"Give others, as in compare.space.{name}.keys=[{_EXAMPLE}], or leave the direction "
            f"out: '~compare.space.{name}'."
        )

    def _known_keys(self) -> list[str]:
        groups = ("cell", "norm", "model", "optim")
        found = [
            f"{group}.{key}"
            for config in self._configs
            for group in groups
            for key in config[group]
            if key != "name"
        ]
        return [*dict.fromkeys(found)]


def _of_ids_alone(config: DictConfig) -> Iterable[str]:
    """Keys of the model that have no effect on the data of a configuration."""
    data, model = (cast(type, OmegaConf.get_type(config[group])) for group in ("data", "model"))
    if not (issubclass(data, SeriesConfig) and issubclass(model, ModelConfig)):
        return ()
    return (f"model.{key}" for key in model.OF_IDS)


@cache
def _default_space() -> Mapping[str, RangeConfig]:
    file = OmegaConf.load(conf_dir() / "comparison.yaml")
    return {
        str(name): RangeConfig(**place)
        for name, place in cast(DictConfig, OmegaConf.to_container(file.compare.space)).items()
    }
