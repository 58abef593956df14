"""Where a run stands, by the records that it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqnorm.lab.runs.files import RunFolderError
from seqnorm.lab.runs.standing import epochs_done, has_reached, seconds_trained, standing

EPOCH = (
    '{{"event": "epoch", "step": {0}, "epoch": {0}, "seconds": {0}.5, "val_loss": {1}, '
    '"val_error": {2}}}\n'
)
TRAIN = '{"event": "train", "step": 1, "epoch": 1, "seconds": 0.1, "loss": 2.0}\n'


def test_of_an_unfinished_run_whole_records_count(tmp_path: Path) -> None:
    assert epochs_done(tmp_path) == 0 and standing(tmp_path, "error", "best").score is None
    lines = [TRAIN, EPOCH.format(1, 0.5, 7), EPOCH.format(2, 0.4, 8), EPOCH.format(3, 0.6, 9)]
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(lines)[:-9])  # killed as it wrote of the third
    assert epochs_done(tmp_path) == 2 and seconds_trained(tmp_path) == 2.5
    assert [has_reached(tmp_path, epochs) for epochs in (1, 2, 3, None)] == [
        True,
        True,
        False,
        False,
    ]
    (tmp_path / "result.json").touch()
    assert has_reached(tmp_path, None) and has_reached(tmp_path, 3)  # it ended before, by itself
    with pytest.raises(RunFolderError, match="in line 4"):  # nothing excuses that one
        epochs_done(tmp_path)


def test_the_score_is_that_of_the_epoch_that_would_be_kept(tmp_path: Path) -> None:
    lines = [EPOCH.format(1, 0.5, 7), EPOCH.format(2, 0.4, 8), EPOCH.format(3, 0.6, 9)]
    (tmp_path / "metrics.jsonl").write_text("".join([*lines, EPOCH.format(4, "null", 5)]))
    for keep, scores in (("best", [7, 8, 8, 8]), ("last", [7, 8, 9, 9])):
        found = [standing(tmp_path, "error", keep, epochs) for epochs in range(1, 5)]
        assert [each.score for each in found] == scores
        assert [each.epochs for each in found] == [1, 2, 3, 3]  # it diverged in the fourth
    assert standing(tmp_path, "error", "last").seconds == 3.5
