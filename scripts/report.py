"""Compares finished runs: python scripts/report.py runs/... [--out DIR]."""

import sys

from seqnorm.analysis.cli import main

if __name__ == "__main__":
    sys.exit(main())
