"""``seqnorm-compare``: makes the missing runs of a comparison and prints its table."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from omegaconf.errors import OmegaConfBaseException

from seqnorm.analysis.files import RunFolderError
from seqnorm.cli_help import COMPARISONS
from seqnorm.comparison.plan import Plan
from seqnorm.comparison.run import TABLE, Comparison
from seqnorm.config import conf_dir
from seqnorm.config_checks import ConfigError
from seqnorm.errors import UserError
from seqnorm.signals import interruptible

HELP = """\
usage: seqnorm-compare experiment=CHOICE [compare.KEY=VALUE ...] [key=value ...]

Every arm tries the same list of settings on validation data; the best one is run on the test set
with fresh seeds. Runs what is missing: stop it at any time and start it again.

  seqnorm-compare experiment=compare_reuters
  seqnorm-compare experiment=compare_reuters compare.trials=4 compare.finalists=0 compare.seeds=3 \\
      'compare.arms=["cell=lstm norm=none,layer"]'                                  for a look
  seqnorm-compare data=reuters compare.trials=0 compare.name=batch_size \\
      'compare.arms=["norm=none,layer,batch data.batch_size=2,8,32,128"]'
"""


def help_text() -> str:
    """The help: the experiments there are, and every key of a comparison with its reason."""
    files = sorted((conf_dir() / "experiment").glob(f"{COMPARISONS}*.yaml"))
    lines = (conf_dir() / "comparison.yaml").read_text(encoding="utf-8").splitlines()
    keys = [line.removeprefix("  ") for line in lines[lines.index("compare:") + 1 :]]
    choices = [f"  {path.stem}" for path in files]
    return "\n".join([HELP, "experiment=", *choices, "", "compare.", *(f"  {k}" for k in keys)])


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
    if {"-h", "--help"} & set(arguments):
        print(help_text())
        return 0
    flags = [token for token in arguments if token.startswith("-")]
    try:
        if flags:
            raise ConfigError(
                f"seqnorm-compare takes key=value and --help only; received {' '.join(flags)}. "
                "Several runs are what compare.arms and compare.seeds are for."
            )
        plan = Plan(arguments)
        command = [os.path.basename(sys.argv[0]) if argv is None else "seqnorm-compare"]
        print(Comparison(plan, [*command, *arguments]).carry_out())
    except (ConfigError, RunFolderError, UserError, OSError, OmegaConfBaseException) as error:
        print(f"seqnorm-compare: {error}", file=sys.stderr)
        return 1
    print(f"This table: {plan.folder / TABLE}\nThe page:   seqnorm-report {plan.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
