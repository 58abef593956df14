"""A run folder as bytes, for machines that do not see the same files."""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import yaml

from seqnorm.lab.durable import sync, write_text, writing
from seqnorm.lab.runs.read import CONFIG
from seqnorm.lab.runs.result import RESULT


def packed(folder: Path) -> bytes:
    """All files of a run folder; what is large in there is compressed already."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return content.getvalue()


def put_in_place(parcel: bytes, folder: Path, runs_dir: str) -> None:
    """Make the run folder: whole, or not at all, whatever moment the process stops at.

    A finished run that is there already stays; an unfinished one gives way.

    Args:
        parcel: What `packed` made of it.
        folder: The run folder.
        runs_dir: What its configuration says in the place of the folder in which it was made.

    Raises:
        DiskError: If the disk does not take it.
        zipfile.BadZipFile: If the parcel is damaged.
    """
    if (folder / RESULT).exists():
        return
    for left in folder.parent.glob(f".{folder.name}.*"):  # by a command that was killed
        shutil.rmtree(left, ignore_errors=True)
    arriving = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        with writing(arriving):
            arriving.mkdir(parents=True)
            with ZipFile(io.BytesIO(parcel)) as archive:
                archive.extractall(arriving)  # checks the sum of each file
            _at_home(arriving / CONFIG, runs_dir)
            for path in arriving.rglob("*"):
                sync(path)  # or the name could reach the disk before the content does
            if folder.exists():
                unfinished = arriving.with_name(f"{arriving.name}.unfinished")
                os.rename(folder, unfinished)
                os.rename(arriving, folder)
                shutil.rmtree(unfinished, ignore_errors=True)
            else:
                os.rename(arriving, folder)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def _at_home(config: Path, runs_dir: str) -> None:
    """Has config.yaml say what it would if the run had been made here."""
    line = yaml.safe_dump({"runs_dir": runs_dir}, allow_unicode=True, width=10_000).strip()
    text = config.read_text(encoding="utf-8")
    write_text(config, re.sub(r"^runs_dir: .*$", lambda _: line, text, count=1, flags=re.M))
