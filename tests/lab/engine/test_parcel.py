"""A run folder as bytes: whole in its place, or not there."""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import BadZipFile

import pytest

from seqnorm.lab.engine.parcel import packed, put_in_place
from seqnorm.lab.runs.find import find_run_folders

NAME = "synthetic-lstm-none-s0-0123456789ab"


@pytest.fixture
def parcel(tmp_path: Path) -> bytes:
    made = tmp_path / "there" / NAME
    (made / "wandb").mkdir(parents=True)
    (made / "config.yaml").write_text("# norm=mine is of m\nruns_dir: /scratch/x\nseed: 0\n")
    (made / "result.json").write_text("{}")
    (made / "wandb" / "file").write_bytes(bytes(1000))
    return packed(made)


def test_it_is_as_if_made_here(tmp_path: Path, parcel: bytes) -> None:
    folder = tmp_path / "here" / NAME
    (folder / "half").mkdir(parents=True)
    put_in_place(parcel, folder, "runs/a b")
    assert (folder / "config.yaml").read_text() == (
        "# norm=mine is of m\nruns_dir: runs/a b\nseed: 0\n"
    )
    assert (folder / "wandb" / "file").read_bytes() == bytes(1000)
    assert [path.name for path in folder.parent.iterdir()] == [NAME]
    (folder / "mine").touch()
    put_in_place(parcel, folder, "runs")  # is made already
    assert (folder / "mine").exists()


def test_a_damaged_one_is_none(tmp_path: Path, parcel: bytes) -> None:
    place = parcel.index(bytes(1000))
    damaged = parcel[:place] + b"x" + parcel[place + 1 :]
    with pytest.raises(BadZipFile):
        put_in_place(damaged, tmp_path / "here" / NAME, "runs")
    assert not list((tmp_path / "here").iterdir())


def test_whatever_moment_it_stops_at_no_half_passes_for_a_run(
    tmp_path: Path, parcel: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is the last one in turn, as if the process were killed there."""
    steps = [(os, "rename"), (os, "fsync"), (os, "replace")]
    for number, (module, name) in enumerate(steps):
        here = tmp_path / f"here{number}"
        with monkeypatch.context() as patch:

            def killed(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(module, name, killed)
            patch.setattr("shutil.rmtree", lambda *_, **__: None)  # nor is anything removed
            with pytest.raises(KeyboardInterrupt):
                put_in_place(parcel, here / NAME, "runs")
        assert not list(find_run_folders(here))
        put_in_place(parcel, here / NAME, "runs")
        assert [path.name for path in here.iterdir()] == [NAME]
