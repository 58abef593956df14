"""From run folders to a comparison: table, statistics, figures, report.

Reads plain files only; nothing here imports Keras or TensorFlow.
"""

from seqnorm.analysis.arms import Arm, Comparison
from seqnorm.analysis.bootstrap import Estimate, bootstrap, paired_bootstrap
from seqnorm.analysis.grouping import compare
from seqnorm.analysis.records import RunRecord
from seqnorm.analysis.report import write_report
from seqnorm.analysis.run_folders import Ignored, read_runs

__all__ = [
    "Arm",
    "Comparison",
    "Estimate",
    "Ignored",
    "RunRecord",
    "bootstrap",
    "compare",
    "paired_bootstrap",
    "read_runs",
    "write_report",
]
