"""Times training steps against Keras: python scripts/bench.py --cells lstm --out bench."""

import sys

from seqnorm.lab.commands.bench import main

if __name__ == "__main__":
    sys.exit(main())
