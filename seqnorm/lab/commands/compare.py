"""``seqnorm-compare``: makes the missing runs of a comparison and prints its table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seqnorm.lab import console
from seqnorm.lab.comparison.forecast import forecast
from seqnorm.lab.comparison.halving import budget
from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.comparison.run import TABLE, Comparison
from seqnorm.lab.config.arguments import CONFIG_DIR, SHOW, config_dirs, split
from seqnorm.lab.config.help import COMPARISONS, first_comment
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import conf_dir
from seqnorm.lab.data import refuse_missing
from seqnorm.lab.errors import UserError, blame_the_input
from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.signals import interruptible
from seqnorm.spelling import counted

PLAN = "--plan"
HELP = """\
usage: seqnorm-compare experiment=CHOICE [compare.KEY=VALUE ...] [key=value ...] [--config-dir DIR]
       [--plan]                            to show what would run, and how long it takes
       [--cfg job]                         to show the configuration that the arms build upon

Every arm tries the same list of settings on validation data; the best one is run on the test set
with fresh seeds. Runs what is missing: stop it at any time and start it again.

  seqnorm-compare experiment=compare_reuters
  seqnorm-compare experiment=compare_reuters compare.trials=4 compare.finalists=0 compare.seeds=3 \\
      'compare.arms=["cell=lstm norm=none,layer"]'                                  for a look
  seqnorm-compare experiment=compare_reuters engine=dask engine.address=tcp://HOST:8786
  seqnorm-compare data=reuters compare.trials=0 compare.name=batch_size \\
      'compare.arms=["norm=none,layer,batch data.batch_size=2,8,32,128"]'
"""


def help_text(folders: Sequence[Path] = ()) -> str:
    """The help: the experiments there are, and every key of a comparison with its reason."""
    files = sorted((conf_dir() / "experiment").glob(f"{COMPARISONS}*.yaml"))
    files += sorted(file for folder in folders for file in (folder / "experiment").glob("*.yaml"))
    lines = (conf_dir() / "comparison.yaml").read_text(encoding="utf-8").splitlines()
    keys = [line.removeprefix("  ") for line in lines[lines.index("compare:") + 1 :]]
    choices = [f"  {path.stem}" for path in files]
    engines = sorted((conf_dir() / "engine").glob("*.yaml"))
    width = max(len(path.stem) for path in engines)
    places = [f"  {path.stem:<{width}}  {first_comment(path)}" for path in engines]
    compare = [f"  {key}" for key in keys]
    return "\n".join(
        [HELP, "experiment=", *choices, "", "engine=", *places, "", "compare.", *compare]
    )


@console.command
@interruptible("seqnorm-compare: interrupted; the same command goes on from here")
def main(argv: Sequence[str] | None = None) -> int:
    """Carries a comparison out.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        The exit code: 0, 1 if the configuration is wrong or a run failed, 130, 143 or 129 if
        interrupted by Ctrl-C, SIGTERM or SIGHUP.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    folders = config_dirs(arguments)
    if {"-h", "--help"} & set(arguments):
        print(help_text(folders))
        return 0
    try:
        overrides, flags = split(arguments)
        refused = [flag for flag, *_ in flags if flag not in (PLAN, *CONFIG_DIR, *SHOW)]
        if refused:
            raise ConfigError(
                "seqnorm-compare takes key=value, --plan, --config-dir, --cfg job, --version and "
                f"--help only; received {' '.join(refused)}. Several runs are what compare.arms "
                "and compare.seeds are for."
            )
        plan = Plan(overrides, folders)
        if any(flag in SHOW for flag, *_ in flags):
            print(OmegaConf.to_yaml(plan.without_arm), end="")
            return 0
        if any(flag == PLAN for flag, *_ in flags):
            print(forecast(plan))
            return 0
        with blame_the_input():
            refuse_missing(plan.data)
        print(announcement(plan, by_default=not overrides), flush=True)
        command = [os.path.basename(sys.argv[0]) if argv is None else "seqnorm-compare"]
        comparison = Comparison(plan, [*command, *arguments])
        print(comparison.carry_out())
    except (ConfigError, RunFolderError, UserError, OSError, OmegaConfBaseException) as error:
        print(f"seqnorm-compare: {error}", file=sys.stderr)
        return 1
    print(f"This table: {plan.folder / TABLE}\nThe page:   seqnorm-report {plan.folder}")
    for arm, reason in comparison.failed.items():
        print(f"seqnorm-compare: the arm '{arm}' is missing: {reason}", file=sys.stderr)
    return 1 if comparison.failed else 0


def announcement(plan: Plan, by_default: bool) -> str:
    """What a comparison is going to do, before anything is loaded.

    Args:
        plan: its runs.
        by_default: whether the command line left all of it to the defaults.
    """
    compare, arms = plan.compare, len(plan.arms)
    parts = [counted(arms, "arm")]
    if compare.trials:
        parts.append(f"{counted(compare.trials, 'setting')} of each on validation data")
    if compare.trials and compare.finalists:
        parts.append(f"the best {min(compare.finalists, compare.trials)} again")
    parts.append(f"{counted(compare.seeds, 'test run')} of each")
    if plan.number_of_floors:
        parts.append(f"{counted(plan.number_of_floors, 'run')} of model={plan.floor}")
    told = [budget(plan.rungs, compare.trial_seeds)] if len(plan.rungs) > 1 else []
    default = " (the default; seqnorm-compare --help lists others)" if by_default else ""
    return "\n".join([f"{', '.join(parts)}, into {plan.folder}{default}", *told, *plan.left_out])


if __name__ == "__main__":
    sys.exit(main())
