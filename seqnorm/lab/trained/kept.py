"""What a finished run kept in its folder of what it trained, read again."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnorm.lab.errors import UserError
from seqnorm.lab.runs.files import FLOOR, MODEL, RunFolderError, read_arrays
from seqnorm.lab.trained.trained import Trained

if TYPE_CHECKING:
    import keras

    from seqnorm.lab.config.schema import RunConfig
    from seqnorm.lab.data.spec import Scale, Vocabulary
    from seqnorm.lab.training.floor import Floor


def load(run: str | Path) -> Trained:
    """The model of a finished run, with all that its inputs are made with.

    Args:
        run: the run folder.

    Raises:
        UserError: if the folder holds no finished run with a model (a trial keeps none), or a file
            of it is missing or damaged.
    """
    folder = _folder(run)
    result = _result(folder)
    from seqnorm.lab.config.compose import compose
    from seqnorm.lab.config.rerun import run_again

    config = compose([run_again(folder, ())])
    from seqnorm.lab.training import require_tensorflow

    require_tensorflow()
    from seqnorm.lab.tasks import make_task

    if result.diverged:
        raise UserError(f"{folder.name} diverged, its model answers nothing: {result.message}")
    words, scale = _vocabulary(folder), _scale(folder, config)
    names, longest = _of_test_part(folder)
    model = _model(folder, config, words.size if words else 0, len(names))
    _require_fitting(folder, model, words, scale)
    return Trained(config, make_task(config.task), model, words, scale, names, longest)


def _folder(run: str | Path) -> Path:
    if not isinstance(run, str | Path):
        raise UserError(
            f"load needs the folder of a finished run; received {run!r}. Give its path."
        )
    return Path(run).expanduser()


def _result(folder: Path) -> Any:
    from seqnorm.lab.runs.find import why_unfinished
    from seqnorm.lab.runs.read import read_run

    result, why = None, why_unfinished(folder)
    try:
        result = None if why else read_run(folder).result
    except (RunFolderError, OSError) as error:
        why = f"of which {error}"
    if result is None:
        shown = str(folder) if len(str(folder)) < 200 else f"{str(folder)[:200]}..."
        raise UserError(f"load needs the folder of a finished run; received {shown!r}, {why}")
    if not any((folder / name).is_file() for name in (MODEL, FLOOR)):
        why = "which tried a setting and has none" if result.trial else "which has none"
        raise UserError(
            f"load needs a run that kept its model as {MODEL} or {FLOOR}; received "
            f"{str(folder)!r}, {why}. Name a run on the test set, as seqnorm-train makes it."
        )
    return result


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Names a file whose reader fails; readers of damaged files raise anything."""
    try:
        yield
    except Exception as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{path} must be as the run wrote it; received a file that cannot be read ({why}). "
            "Copy it again, or repeat the run."
        ) from error


def _vocabulary(folder: Path) -> Vocabulary | None:
    from seqnorm.lab.data.vocabulary import Vocabulary

    path = folder / "vocabulary.json"
    with _whole(path):
        return Vocabulary.load(path) if path.is_file() else None


def _scale(folder: Path, config: RunConfig) -> Scale | None:
    from seqnorm.lab.data import mnist_series, scale

    path = folder / scale.FILE
    with _whole(path):
        found = scale.Scale.load(path) if path.is_file() else None
    if found and not found.order and config.data.name == mnist_series.PERMUTED:
        # Older runs kept none; it has not changed.
        return replace(found, order=tuple(mnist_series.order().tolist()))
    return found


def _of_test_part(folder: Path) -> tuple[tuple[str, ...], int | None]:
    """The names of the classes, and the steps of the longest row."""
    path = folder / "predictions.npz"
    with _whole(path), np.load(path) as stored:
        names = stored["label_names"].tolist() if "label_names" in stored.files else []
        longest = int(stored["lengths"].max()) if "lengths" in stored.files else None
    return tuple(map(str, names)), longest


def _model(folder: Path, config: RunConfig, size: int, num_classes: int) -> keras.Model | Floor:
    """What the run kept: `_result` has seen one of the files."""
    path = folder / MODEL
    if path.is_file():
        import keras

        with _whole(path):
            if not zipfile.is_zipfile(path):  # of which Keras says that it is not there
                raise ValueError("it is incomplete or damaged")
            network: keras.Model = keras.models.load_model(path, compile=False)
        return network
    from seqnorm.lab.training.floor import make_floor

    if not size:
        raise _lacking(folder, "vocabulary.json")
    floor = make_floor(config, size, num_classes)
    with _whole(folder / FLOOR):
        floor.restore(read_arrays(folder / FLOOR, "its model"))
    return floor


def _require_fitting(folder: Path, model: Any, words: Vocabulary | None, scale: Any) -> None:
    """Refuses a folder that lacks what makes the network's input, or has another network's."""
    if not hasattr(model, "inputs"):
        return
    shape = model.inputs[0].shape
    if len(shape) == 3:
        if scale is None:
            raise _lacking(folder, "scale.json")
        if len(scale.features) != shape[-1]:
            raise _of_another(folder, "scale.json", "features", len(scale.features), shape[-1])
        return
    if words is None:
        raise _lacking(folder, "vocabulary.json")
    size = next((each.input_dim for each in model.layers if hasattr(each, "input_dim")), words.size)
    if size != words.size:
        raise _of_another(folder, "vocabulary.json", "words", words.size, size)


def _lacking(folder: Path, name: str) -> UserError:
    return UserError(
        f"a run needs {name}, which says how rows become the model's input; received {folder} "
        "without it. Copy the whole folder, or repeat the run."
    )


def _of_another(folder: Path, name: str, what: str, found: int, wanted: int) -> UserError:
    return UserError(
        f"{folder / name} must hold the {wanted:,} {what} of its network; received {found:,}. "
        "Copy the whole folder, or repeat the run."
    )
