"""From run folders to a comparison: table, statistics, figures, report.

Reads plain files only; nothing here imports Keras or TensorFlow.
"""

from seqnorm.analysis.arms import Arm, Comparison
from seqnorm.analysis.bootstrap import Estimate, bootstrap, paired_bootstrap
from seqnorm.analysis.grouping import compare
from seqnorm.analysis.records import Ignored, RunRecord, read_runs
from seqnorm.analysis.report import write_report

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
