"""Train one network, or several with -m: ``python scripts/train.py --help``."""

import sys

from seqnorm.lab.commands.train import main

if __name__ == "__main__":
    sys.exit(main())
