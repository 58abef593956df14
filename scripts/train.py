"""Train one network, or several with -m: ``python scripts/train.py --help``."""

import sys

from seqnorm.cli import train

if __name__ == "__main__":
    sys.exit(train())
