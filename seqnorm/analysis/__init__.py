"""From run folders to a comparison: table, statistics, figures, report.

Reads plain files only; nothing here imports Keras or TensorFlow.
"""

from seqnorm.analysis.arms import Arm, Comparison
from seqnorm.analysis.grouping import compare
from seqnorm.analysis.records import Ignored, RunRecord, read_runs
from seqnorm.analysis.report import write_report
from seqnorm.analysis.statistics import Interval, paired_interval, t_interval

__all__ = [
    "Arm",
    "Comparison",
    "Ignored",
    "Interval",
    "RunRecord",
    "compare",
    "paired_interval",
    "read_runs",
    "t_interval",
    "write_report",
]
