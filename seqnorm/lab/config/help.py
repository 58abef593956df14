"""The text of ``seqnorm-train --help``: every group, and each choice with its file's first line."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path

from seqnorm.lab.config.arguments import config_dirs
from seqnorm.lab.config.imports import load_parts_of
from seqnorm.lab.config.models import FLOORS
from seqnorm.lab.config.schema import SCHEMAS, RunConfig, conf_dir
from seqnorm.spelling import counted

HEADER = """\
usage: seqnorm-train [group=choice ...] [key=value ...] [-m] [--from RUN] [--config-dir DIR]

Trains a normalised recurrent network and writes a run folder.

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
    """The help, with the files of a ``--config-dir`` and the parts of ``imports``."""
    folders = [conf_dir(), *config_dirs(arguments)]
    load_parts_of(arguments, folders)
    lines = [HEADER]
    for group in (*SCHEMAS, "experiment"):
        lines.append(f"{group}=")
        described = _described(group, folders)
        width = max(map(len, described), default=0)
        chosen = _default_choice(group)
        for name, text in described.items():
            lines.append(f"  {'*' if name == chosen else ' '} {name:<{width}}  {text}")
    return "\n".join([*lines, FOOTER])


def announcement(config: RunConfig, by_default: bool) -> str:
    """One line that says what a run is going to do, before anything is loaded.

    Args:
        config: of the run.
        by_default: whether the command line left all of it to the defaults.
    """
    what = f"{config.network} on {config.data.name}, norm={config.norm.name}, seed {config.seed}"
    if config.model.name not in FLOORS:
        what += f", at most {counted(config.train.epochs, 'epoch')}"
    default = " (the default; seqnorm-train --help lists the choices)" if by_default else ""
    return f"{what}, into {config.runs_dir}{default}"


def _described(group: str, folders: Sequence[Path]) -> dict[str, str]:
    """Every choice of a group, and the first line of its file or of its schema's docstring."""
    found = {
        name: f"{(inspect.getdoc(schema) or '').partition(chr(10))[0]} [{schema.__module__}]"
        for name, schema in SCHEMAS.get(group, {}).items()
        if not schema.__module__.startswith("seqnorm.")
    }
    files = [path for folder in folders for path in (folder / group).glob("*.yaml")]
    found |= {path.stem: first_comment(path) for path in files}
    return {name: found[name] for name in sorted(found) if not name.startswith(COMPARISONS)}


def _default_choice(group: str) -> str | None:
    for line in (conf_dir() / "config.yaml").read_text(encoding="utf-8").splitlines():
        if line.strip().startswith(f"- {group}:"):
            return line.split(":")[1].split("#")[0].strip()
    return None


def first_comment(path: Path) -> str:
    """What a file of a choice says of itself."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and not line.startswith("# @package"):
            return line.lstrip("# ").strip()
    return ""
