"""One door for parts with a name: cells, norms, models, tasks and data sets, ours and the user's.

A module of the user's registers what it has, and a configuration that names the module in `imports`
can choose it like one of ours:

    @dataclass
    class L2Config(NormConfig):
        \"\"\"Divides each row by its mean power.\"\"\"
        power: float = 2.0

    @register_norm("l2", L2Config)
    class L2Norm(Normalizer): ...

    seqnorm-train imports=[mylab.norms] norm=l2 norm.power=3

The dataclass is the schema: its fields are the keys of the group, their defaults what runs use, the
first line of its docstring what `--help` says. They reach the part by their names.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

from seqnorm.lab.config import schema as schemas
from seqnorm.lab.config.imports import NameTaken
from seqnorm.lab.config.keras_norms import FIRST_VALUES
from seqnorm.lab.config.models import NORMS_WITHOUT_STEPS
from seqnorm.lab.config.parts import SITES

if TYPE_CHECKING:
    import keras

    from seqnorm.lab.config.schema import RunConfig
    from seqnorm.lab.data.spec import Dataset

_NAME = re.compile(r"[\w.-]+")
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Part:
    """A part that is not seqnorm's own.

    Attributes:
        group: "cell", "norm", "task", "model" or "data".
        name: by which it is chosen.
        schema: the dataclass of its keys.
        module: which registered it.
    """

    group: str
    name: str
    schema: type
    module: str

    @property
    def origin(self) -> str:
        """The module, and the version of the package that it belongs to where it is installed."""
        package = self.module.partition(".")[0]
        for distribution in metadata.packages_distributions().get(package, []):
            return f"{self.module} ({distribution} {metadata.version(distribution)})"
        return self.module


PARTS: dict[tuple[str, str], Part] = {}


def register_norm(name: str, schema: type) -> Callable[[type[Thing]], type[Thing]]:
    """Makes a subclass of `seqnorm.normalizers.Normalizer` the choice ``norm=<name>``.

    Its constructor gets the schema's fields by name; ``gamma`` and ``alpha`` as
    ``gamma_initializer`` and ``alpha_initializer`` that start the weight there. The name also
    serves `NormLSTM(64, norm=name)`. The class is registered with Keras's saving under the name of
    its package, unless it is already.

    Args:
        name: not one of ours.
        schema: a dataclass that derives from `NormConfig`.

    Raises:
        ValueError: if the name is taken.
        TypeError: if the schema or the class is of another kind, or a field is no argument.
    """

    def decorate(norm: type[Thing]) -> type[Thing]:
        from seqnorm.normalizers import NORMALIZERS, Normalizer

        _require_subclass("norm", name, norm, Normalizer)
        _add("norm", name, schema, norm)
        NORMALIZERS[name] = _with_keras(norm)
        return norm

    return decorate


def register_cell(name: str, schema: type) -> Callable[[type[Thing]], type[Thing]]:
    """Makes a subclass of `seqnorm.cells.NormCell` the choice ``cell=<name>``.

    Its constructor gets the schema's fields by name and the chosen norm as `norm`.

    Args:
        name: not one of ours; the class's `NAME`.
        schema: a dataclass that derives from `CellConfig` (of `RecurrentConfig`, if the cell takes
            what all of ours take).

    Raises:
        ValueError: if the name is taken, or is not the class's `NAME`.
        TypeError: if the schema or the class is of another kind, or a field is no argument.
    """

    def decorate(cell: type[Thing]) -> type[Thing]:
        from seqnorm.cells import CELLS, NormCell

        _require_subclass("cell", name, cell, NormCell)
        if getattr(cell, "NAME", None) != name:
            raise ValueError(
                f"register_cell needs the cell's own name; received name={name!r} with "
                f"{cell.__name__}.NAME={getattr(cell, 'NAME', None)!r}. Make them one."
            )
        _add("cell", name, schema, cell)
        own: type[NormCell] = _with_keras(cell)
        CELLS[name], SITES[name] = own, own.SELECTABLE
        return cell

    return decorate


def register_model(
    name: str, schema: type, *, recurrent: bool = True
) -> Callable[[Callable[[RunConfig, Dataset], keras.Model]], Any]:
    """Makes a function the choice ``model=<name>``: it builds the network of a run.

    The function gets the whole configuration (`config.model` is an instance of the schema) and the
    data set, and returns a model that is not compiled: int32[batch, time] -> what
    ``make_task(config.task).head(dataset)`` gives, for classes the logits float32[batch, classes].

    Args:
        name: not one of ours.
        schema: a dataclass that derives from `ModelConfig`.
        recurrent: whether it has a place for ``cell`` and for norms inside the step; otherwise it
            is chosen with ``cell=none``, and its norms are Keras's own.

    Raises:
        ValueError: if the name is taken.
        TypeError: if the schema is none.
    """

    def decorate(build: Callable[[RunConfig, Dataset], keras.Model]) -> Any:
        from seqnorm.lab.models.build import BUILDERS

        _add("model", name, schema, build)
        BUILDERS[name] = build
        if not recurrent:
            NORMS_WITHOUT_STEPS[name] = ("none", "keras_layer", "keras_batch")
        return build

    return decorate


def register_task(name: str, schema: type) -> Callable[[type[Thing]], type[Thing]]:
    """Makes a subclass of `seqnorm.lab.tasks.Task` the choice ``task=<name>``.

    Its constructor gets the schema's fields by name; the name becomes the class's `name`.

    Args:
        name: not one of ours.
        schema: a dataclass that derives from `TaskConfig`.

    Raises:
        ValueError: if the name is taken, or the scores are none that a report could write about.
        TypeError: if the schema or the class is of another kind, a field is no argument, or the
            class has no scores.
    """

    def decorate(task: type[Thing]) -> type[Thing]:
        from seqnorm.lab.tasks import TASKS, Scoring, Task

        _require_subclass("task", name, task, Task)
        made: Any = task
        missing = [key for key in ("scores", "baseline_name") if not hasattr(made, key)]
        if missing:
            raise TypeError(
                f"register_task needs a class that says what it measures; received {made.__name__} "
                f"without {' and '.join(missing)}. Declare them as class attributes, as "
                "seqnorm.lab.tasks.classification does."
            )
        Scoring(name, made.scores, made.baseline_name)
        _add("task", name, schema, task)
        made.name = name
        TASKS[name] = made
        return task

    return decorate


def register_data(
    name: str, schema: type
) -> Callable[[Callable[[Any, int], Dataset]], Callable[[Any, int], Dataset]]:
    """Makes a function the choice ``data=<name>``: it loads the data set.

    The function gets an instance of the schema and the seed, which decides what is held out for
    validation, and returns a `seqnorm.lab.data.Dataset`.

    Args:
        name: not one of ours.
        schema: a dataclass that derives from `DataConfig`.

    Raises:
        ValueError: if the name is taken.
        TypeError: if the schema is none.
    """

    def decorate(load: Callable[[Any, int], Dataset]) -> Callable[[Any, int], Dataset]:
        from seqnorm.lab.data import LOADERS

        _add("data", name, schema, load)
        LOADERS[name] = load
        return load

    return decorate


def _add(group: str, name: str, schema: type, part: Any) -> None:
    base = schemas.BASES[group]
    # A subclass of a dataclass that is none itself is one to `is_dataclass`, without its own keys.
    own = isinstance(schema, type) and "__dataclass_params__" in vars(schema)
    if not (own and issubclass(schema, base)):
        raise TypeError(
            f"register_{group} needs a dataclass that derives from {base.__name__}; received "
            f"schema={schema!r}. Write `@dataclass` above `class ...({base.__name__})`."
        )
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"register_{group} needs a name that can be typed in {group}=NAME: letters, digits, _, "
            f"- and a dot; received name={name!r}. Choose another name."
        )
    known = PARTS.get((group, name))
    if name in schemas.SCHEMAS[group] and (known is None or known.module != part.__module__):
        owner = known.module if known else "seqnorm"
        raise NameTaken(f"{group}={name}", owner, part.__module__)
    if isinstance(part, type):
        _require_arguments(group, schema, part)
    PARTS[group, name] = Part(group, name, schema, part.__module__)
    schemas.add_choice(group, name, schema)


def _require_subclass(group: str, name: str, thing: Any, base: type) -> None:
    if not (isinstance(thing, type) and issubclass(thing, base)):
        raise TypeError(
            f"register_{group} needs a subclass of {base.__name__}; received {thing!r} as "
            f"{group}={name}."
        )


def _require_arguments(group: str, schema: type, thing: Any) -> None:
    """Fields reach the constructor by their names: one that it lacks would end every run."""
    parameters = inspect.signature(thing).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return
    taken = {"name", *parameters, *getattr(thing, "OPTIONS", ())}
    if group == "norm":
        taken |= {weight for weight in FIRST_VALUES if f"{weight}_initializer" in taken}
    lacking = [field.name for field in fields(schema) if field.name not in taken]
    if lacking:
        raise TypeError(
            f"register_{group} needs a constructor that takes each field of its schema; received "
            f"{schema.__name__} with {', '.join(lacking)}, which {thing.__name__} does not take. "
            "Add it to the constructor, or leave it out of the schema."
        )


def _with_keras(thing: Any) -> Any:
    """The class, known to Keras's saving under the package of its module unless it is already."""
    import keras

    if keras.saving.get_registered_name(thing) == thing.__name__:
        package = thing.__module__.partition(".")[0]
        keras.saving.register_keras_serializable(package=package)(thing)
    return thing
