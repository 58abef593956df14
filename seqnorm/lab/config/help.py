"""The text of ``seqnorm-train --help``: every group, and each choice with its file's first line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqnorm.lab.config.arguments import config_dirs
from seqnorm.lab.config.schema import RunConfig, conf_dir

HEADER = """\
usage: seqnorm-train [group=choice ...] [key=value ...] [-m] [--from RUN] [--config-dir DIR]

Trains a classifier with a normalised recurrent network and writes a run folder.

  seqnorm-train data=synthetic cell=lstm norm=layer
  seqnorm-train -m norm=none,layer,batch seed=0,1,2      all nine combinations, one after the other
  seqnorm-train experiment=demo                          a preset; later keys override it
  seqnorm-train --from runs/RUN norm=batch               a run again, here with another norm

Groups (* marks the default):
"""
COMPARISONS = "compare_"  # presets of seqnorm-compare begin so
FOOTER = """\

Single keys: seqnorm-train --cfg job prints them all with their values; set one with
group.key=value, for example optim.learning_rate=0.001. Also: seed=0, runs_dir=runs.
Presets of comparisons: seqnorm-compare --help. Files such as DIR/norm/mine.yaml are choices too.
Hydra's own flags: seqnorm-train --hydra-help. Full tracebacks: HYDRA_FULL_ERROR=1."""


def help_text(arguments: Sequence[str] = ()) -> str:
    """The help, which also covers the files of a folder given as ``--config-dir``."""
    folders = [conf_dir(), *config_dirs(arguments)]
    groups = [
        name for name in RunConfig.__annotations__ if name not in ("task", "seed", "runs_dir")
    ]
    lines = [HEADER]
    for group in (*groups, "experiment"):
        lines.append(f"{group}=")
        files = sorted(path for folder in folders for path in (folder / group).glob("*.yaml"))
        files = [path for path in files if not path.stem.startswith(COMPARISONS)]
        width = max((len(path.stem) for path in files), default=0)
        chosen = _default_choice(group)
        for path in files:
            mark = "*" if path.stem == chosen else " "
            lines.append(f"  {mark} {path.stem:<{width}}  {_first_comment(path)}")
    return "\n".join([*lines, FOOTER])


def announcement(config: RunConfig, by_default: bool) -> str:
    """One line that says what a run is going to do, before anything is loaded.

    Args:
        config: of the run.
        by_default: whether the command line left all of it to the defaults.
    """
    what = f"{config.network} on {config.data.name}, norm={config.norm.name}, seed {config.seed}"
    if config.task == "why":
        what = f"Figure of ending sequences: {config.network} on {config.data.name}"
    elif config.model.name != "bag_of_words":
        what += f", at most {config.train.epochs} epochs"
    default = " (the default; seqnorm-train --help lists the choices)" if by_default else ""
    return f"{what}, into {config.runs_dir}{default}"


def _default_choice(group: str) -> str | None:
    for line in (conf_dir() / "config.yaml").read_text(encoding="utf-8").splitlines():
        if line.strip().startswith(f"- {group}:"):
            return line.split(":")[1].split("#")[0].strip()
    return None


def _first_comment(path: Path) -> str:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and not line.startswith("# @package"):
            return line.lstrip("# ").strip()
    return ""
