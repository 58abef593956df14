"""Makes the missing runs of a comparison: python scripts/compare.py experiment=compare_reuters."""

import sys

from seqnorm.comparison.cli import main

if __name__ == "__main__":
    sys.exit(main())
