"""Times training steps against Keras: python scripts/bench.py --cells lstm --out bench."""

import sys

from seqnorm.bench.cli import main

if __name__ == "__main__":
    sys.exit(main())
