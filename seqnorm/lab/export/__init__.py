"""What a run trained, as a file for elsewhere."""

from __future__ import annotations

import errno
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from seqnorm.lab.durable import DiskError, writing
from seqnorm.lab.errors import UserError
from seqnorm.lab.export.names import FILE, NEEDS
from seqnorm.lab.trained.given import PIPE, Table, require_file, rows_of

NAMES = tuple(NEEDS)


def export(
    run: str | Path,
    to: str,
    out: str | Path | None = None,
    force: bool = False,
    rows: str | None = None,
    table: Table | None = None,
) -> Path:
    """Writes what a finished run trained in another format, and runs it to see that it is the same.

    Args:
        run: the run folder.
        to: one of `NAMES`.
        out: the folder to write; None for one in the run folder that is called as the format.
        force: write over an earlier export.
        rows: a file of rows that the written file is tried with; None draws some.
        table: how that is read, if it has columns.

    Returns:
        The folder: the model, and encoding.json, which says how to make its input.

    Raises:
        UserError: if the run has no network, a package is missing, the folder is there, or the
            format cannot hold the network. Then nothing has been written.
    """
    _require(to)
    target = Path(out).expanduser() if out is not None else Path(run).expanduser() / to
    with _folder_of(target):
        _refuse_to_replace(target, force)
    if table and table.options and rows is None:
        raise UserError(f"{table.options} is for --rows FILE; received it without. Leave it out.")
    require_file(rows or PIPE)
    from seqnorm.lab.trained import load

    trained = load(run)
    if trained.is_floor:
        raise UserError(
            f"export writes networks; received a run of {trained.config.model.name}, whose "
            "model.npz is plain arrays by name: numpy.load reads it."
        )
    from seqnorm.lab.export import encoding
    from seqnorm.lab.export.answering import answering
    from seqnorm.lab.export.check import write_checked
    from seqnorm.lab.export.formats import FORMATS
    from seqnorm.lab.export.rows import drawn_rows, given_rows

    kind, model = FORMATS[to], answering(trained)
    if rows is None:
        tried = drawn_rows(trained)
    else:
        tried = given_rows(trained, rows_of(trained, rows, table or Table()))
    for lack in kind.lacks(trained):
        print(f"{to} does not hold {lack}", flush=True)
    with _folder_of(target), _complete(target) as folder:
        try:
            with warnings.catch_warnings():  # rows are padded as encoding.json says
                warnings.filterwarnings("ignore", "An exported model cannot refuse padding")
                checked = write_checked(trained, model, kind, folder, tried)
        except Exception as error:  # converters raise anything
            why = " ".join(str(error).split())[:300]
            raise UserError(
                f"{to} must answer as the network does; received {Path(run).name}, of which it "
                f"cannot: {why or type(error).__name__}. Nothing was written; take another format."
            ) from error
        encoding.write(trained, model, folder)
    print(f"{target}  for {kind.runtime}. {checked.said('drawn' if rows is None else 'given')}")
    return target


def _require(to: str) -> None:
    if to not in NAMES:
        raise UserError(
            f"export writes {', '.join(NAMES)}; received to={to!r}. Choose one of them."
        )
    missing = [name for name in NEEDS[to] if find_spec(name) is None]
    if missing:
        raise UserError(
            f"--to {to} needs {', '.join(missing)}, which is not installed: "
            "pip install '.[export]' in the folder of seqnorm's source brings it."
        )


@contextmanager
def _folder_of(target: Path) -> Iterator[None]:
    """Names the folder if it cannot be one: below a file, of a name that is too long ..."""
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        raise UserError(
            f"an export needs a folder that can be made; received {str(target)[:200]} "
            f"({error.strerror or error}). Name another."
        ) from error


def _refuse_to_replace(target: Path, force: bool) -> None:
    above = next(path for path in target.absolute().parents if path.exists())
    if not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{above} is a file")
    if not target.exists() or (force and (target / FILE).is_file()):
        return
    advice = "Name another folder" if force else "Add --force to write over it, or name another"
    kind = "which is no export" if force else "which is there"
    raise UserError(f"an export needs a folder that it makes; received {target}, {kind}. {advice}.")


@contextmanager
def _complete(target: Path) -> Iterator[Path]:
    """A new folder that gets its name when it is complete, in the place of the one before."""
    new, old = (target.with_name(f".{target.name}.{word}") for word in ("new", "old"))
    with writing(target):
        for left in (new, old):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            yield new
            if target.exists():
                target.rename(old)
            new.rename(target)
        finally:
            for left in (new, old):
                with suppress(OSError):
                    shutil.rmtree(left)
