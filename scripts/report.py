"""Compares finished runs: python scripts/report.py runs/... [--out DIR]."""

import sys

from seqnorm.lab.commands.report import main

if __name__ == "__main__":
    sys.exit(main())
