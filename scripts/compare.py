"""Makes the missing runs of a comparison: python scripts/compare.py experiment=compare_reuters."""

import sys

from seqnorm.lab.commands.compare import main

if __name__ == "__main__":
    sys.exit(main())
