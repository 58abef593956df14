"""The settings that an earlier comparison has chosen for each cell and norm."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.report.arms.arms import Arm
from seqnorm.lab.report.findings.collect import collect


@dataclass(frozen=True)
class Chosen:
    """What was chosen, by cell and norm.

    Attributes:
        folder: Where it was read.
        arms: The arms of each cell and norm.
        keys: The config keys that were chosen.
    """

    folder: Path
    arms: dict[tuple[str, str], list[Arm]]
    keys: Collection[str]

    def of(self, cell: str, norm: str) -> tuple[dict[str, Any], int]:
        """The settings of an arm, and the batch size they were chosen at.

        Raises:
            ConfigError: Unless exactly one arm of the earlier comparison has that cell and norm.
        """
        arms = self.arms.get((cell, norm), [])
        if len(arms) != 1:
            known = ", ".join(arm.label for found in self.arms.values() for arm in found)
            raise ConfigError(
                f"compare.settings_of needs one arm with cell={cell} norm={norm}; received "
                f"compare.settings_of={self.folder}, with {len(arms)} of it (arms: {known}). Run "
                "that comparison first, or leave the arm out."
            )
        config = arms[0].runs[0].config
        found = {key: config[key] for key in sorted(self.keys) if key in config}
        return found, int(config["data.batch_size"])


def chosen_before(folder: Path, data: str, keys: Collection[str]) -> Chosen:
    """Read what a comparison has chosen.

    Args:
        folder: Its run folders, or its results.
        data: The data set.
        keys: The config keys that are searched.

    Raises:
        ConfigError: If there is no finished comparison of that data set.
    """
    try:
        comparisons = [c for c, _ in collect([folder]).comparisons if c.data == data]
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"compare.settings_of needs a finished comparison; received compare.settings_of="
            f"{folder}: {error} compare.settings_of=null takes the configuration as it is."
        ) from error
    if not comparisons:
        raise ConfigError(
            f"compare.settings_of needs a finished comparison of data={data}; received "
            f"compare.settings_of={folder}, which has none. Give the folder of one that has."
        )
    arms: dict[tuple[str, str], list[Arm]] = {}
    for arm in (arm for comparison in comparisons for arm in comparison.arms):
        arms.setdefault((arm.cell, arm.norm), []).append(arm)
    return Chosen(folder, arms, keys)
