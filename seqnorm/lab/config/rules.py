"""What neither types nor ranges can say about a configuration: keys that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seqnorm.lab.config.data import LABELS, SeriesConfig, has_labels
from seqnorm.lab.config.devices import contradictions_of_devices
from seqnorm.lab.config.models import NORMS_WITHOUT_STEPS
from seqnorm.lab.config.parts import SITES
from seqnorm.lab.config.ranges import out_of_range
from seqnorm.lab.config.schema import SCHEMAS, RunConfig, TrackingConfig
from seqnorm.lab.config.tasks import LanguageModelConfig, floor
from seqnorm.spelling import did_you_mean


class ConfigError(ValueError):
    """A configuration that cannot be run as it is; the message says what to change."""


# Keras's batch norm over one vector a row; over images it has many positions.
_ONE_VECTOR = ("mlp", "keras_batch")
WITH_RUNNING_STATISTICS = ("batch", "keras_batch")
# START and the pixels of an image of `seqnorm.lab.data.mnist`.
WHOLE_IMAGE = 1 + 28 * 28


def validate(config: RunConfig) -> None:
    """Refuses a configuration whose values are out of range or contradict one another.

    What only one component can judge (a normaliser's arguments, say) is left to its constructor.

    Args:
        config: complete configuration; keys that are None are not set and are not checked.

    Raises:
        ConfigError: naming every offending key with its value, and what to do about it.
    """
    problems = [*_renamed(config)] or [
        *out_of_range(config),
        *_contradictions(config),
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def _renamed(config: RunConfig) -> Iterator[str]:
    """Components whose name was changed under the keys of another one."""
    for group, choices in SCHEMAS.items():
        component = getattr(config, group)
        if not hasattr(component, "name"):
            continue
        wanted = choices.get(component.name)
        if wanted is not type(component):
            choice = f"{group}={component.name}"
            advice = f"Use {choice}" if wanted else f"Use {group}= one of {', '.join(choices)}"
            yield (
                f"{group}.name says which component the keys of {group} are for, and cannot be set "
                f"by itself; received {group}.name={component.name} with the keys of another. "
                f"{advice}."
            )


def check_group(group: str, component: Any) -> None:
    """Refuses values of one group, such as "data", that are out of range.

    Raises:
        ConfigError: naming every offending key with its value.
    """
    if problems := [*out_of_range(component, f"{group}.")]:
        raise ConfigError("\n".join(problems))


def _contradictions(config: RunConfig) -> Iterator[str]:
    yield from _misfits(config)
    yield from _labels(config)
    yield from _order_of_steps(config)
    yield from _sites(config)
    yield from contradictions_of_devices(config)
    tracking, default = config.tracking, TrackingConfig()
    idle = [
        f"tracking.{key}={getattr(tracking, key)}"
        for key in ("mode", "project", "entity", "tags")
        if getattr(tracking, key) != getattr(default, key)
    ]
    if tracking.name == "local" and idle:
        yield (
            f"tracking=local writes into the run folder only; received {', '.join(idle)}. Add "
            "tracking=wandb, or leave it out."
        )
    if config.train.reestimate and config.norm.name not in WITH_RUNNING_STATISTICS:
        yield (
            "train.reestimate=true takes running statistics anew and needs norm to be one of "
            f"{', '.join(WITH_RUNNING_STATISTICS)}; received norm={config.norm.name}. Leave "
            "train.reestimate out."
        )
    if config.data.batch_tokens is not None and not config.data.even_batches:
        yield (
            "data.batch_tokens cuts batches of equal tokens and needs data.even_batches=true; "
            f"received data.batch_tokens={config.data.batch_tokens} with data.even_batches=false. "
            "Set one of the two."
        )
    if config.data.bucket > 1 and not config.data.even_batches:
        yield (
            "data.bucket sorts the rows of a pool by length, so that the rest which "
            "data.even_batches=false keeps for the last batch would be its longest rows; received "
            f"data.bucket={config.data.bucket} with data.even_batches=false. Add data.bucket=0 (25 "
            "or 50 is the default), or leave data.even_batches=false out."
        )
    by_rows = config.data.batch_tokens is None
    per_batch = config.norm.name == "batch" or (config.model.name, config.norm.name) == _ONE_VECTOR
    if per_batch and config.data.batch_size == 1 and by_rows:
        yield (
            f"norm={config.norm.name} needs batches of at least 2 rows; received "
            "data.batch_size=1. The mean of one row is the row itself, so everything would be "
            "normalised to exactly zero and nothing of the input would be left. Raise "
            "data.batch_size (64 is the default), or use the layer norm, whose statistics do not "
            "depend on the batch."
        )


def _order_of_steps(config: RunConfig) -> Iterator[str]:
    """What may not see later steps, or forget earlier ones."""
    task, data = config.task, config.data
    if task.CAUSAL and getattr(config.model, "bidirectional", False):
        yield (
            f"task={task.name} asks for what comes next, which the backward direction has read; "
            "received model.bidirectional=true. Add model.bidirectional=false."
        )
    if not isinstance(task, LanguageModelConfig) or not task.carry_state:
        return
    if task.window is None:
        yield (
            "task.carry_state=true carries the state from window to window and needs task.window; "
            "received task.window=null. Add task.window=100, or so."
        )
    if data.batch_tokens is not None:
        yield (
            "task.carry_state=true reads the same number of strands in every batch; received "
            f"data.batch_tokens={data.batch_tokens}. Leave it out, and set data.batch_size."
        )


def _sites(config: RunConfig) -> Iterator[str]:
    """Sites that the cell has not, and a joint norm without what it joins."""
    cell: Any = config.cell
    known: tuple[str, ...] = SITES.get(cell.name, ())
    sites: list[str] | None = getattr(cell, "sites", None)
    unknown = [site for site in sites or () if site not in known]
    joint = getattr(cell, "placement", None) == "joint"
    if sites and unknown:
        near = "".join(dict.fromkeys(did_you_mean(site, known) for site in unknown))
        yield (
            f"cell.sites must be some of {', '.join(known)}, where norms can stand in "
            f"cell={cell.name}; received cell.sites=[{', '.join(sites)}].{near} Leave it out to "
            "normalise all of them."
        )
    elif joint and not {"input", "recurrent"} <= set(known if sites is None else sites):
        received = f"cell={cell.name}" if sites is None else f"cell.sites=[{', '.join(sites)}]"
        yield (
            "cell.placement=joint normalises the sum of both products and needs the sites input "
            f"and recurrent; received {received}. Add them, or use cell.placement=separate."
        )
    elif joint and getattr(config.norm, "input_statistics", None) == "sequence":
        yield (
            "norm.input_statistics=sequence normalises the input product before the loop and needs "
            "cell.placement=separate; received cell.placement=joint. Change one of the two."
        )


def _labels(config: RunConfig) -> Iterator[str]:
    """Labels that the task needs and the data has not."""
    wanted, data = config.task.LABELS, config.data
    columns = getattr(data, "text", None), getattr(data, "label", None)
    if wanted != "none" and columns[0] is not None and columns[0] == columns[1]:
        yield (
            "data.text and data.label must name two columns, or the answer stands in the question; "
            f"received data.text={columns[0]} and data.label={columns[1]}. Name the other one."
        )
    schemas: dict[str, Any] = SCHEMAS["data"]
    if wanted is None or has_labels(type(config.data), wanted):
        return
    fitting = [name for name, schema in schemas.items() if has_labels(schema, wanted)]
    kinds = [LABELS[kind] for kind in config.data.KINDS if kind != "none"]
    received = "rows of numbers" if wanted == "none" else ", or ".join(kinds)
    yield (
        f"task={config.task.name} needs data with {LABELS[wanted]}; received "
        f"data={config.data.name}, which has {received}. Data that fits: "
        f"{', '.join(fitting) or 'none of ours'}."
    )


def _misfits(config: RunConfig) -> Iterator[str]:
    """Cells and norms that the model has no place for."""
    model, cell, norm = config.model.name, config.cell.name, config.norm.name
    tasks: dict[str, Any] = SCHEMAS["task"]
    able = [name for name, task in tasks.items() if model == task.FLOOR]
    if able and model != floor(config.task, config.data):
        yield (
            f"model={model} can do task={' or '.join(able)} on rows of ids; received "
            f"task={config.task.name} with data={config.data.name}. Use another model."
        )
    elif model in NORMS_WITHOUT_STEPS and isinstance(config.data, SeriesConfig):
        yield (
            f"model={model} reads ids; received data={config.data.name}, whose rows are numbers. "
            "Use model=classifier."
        )
    if model in NORMS_WITHOUT_STEPS:
        if cell != "none":
            yield f"model={model} has no recurrence and needs cell=none; received cell={cell}."
        if norm not in NORMS_WITHOUT_STEPS[model]:
            choices = ", ".join(NORMS_WITHOUT_STEPS[model])
            yield f"model={model} needs norm to be one of {choices}; received norm={norm}."
        if model == "convnet" and config.data.max_length < WHOLE_IMAGE:
            yield (
                f"model=convnet needs whole images, data.max_length={WHOLE_IMAGE}; received "
                f"data.max_length={config.data.max_length}. Add data=mnist, or leave it as it is."
            )
        return
    if cell == "none":
        yield f"model={model} is recurrent and needs a cell; received cell=none. Use cell=lstm."
    if norm.startswith("keras_"):
        yield (
            f"model={model} normalises inside each step, which norm={norm} cannot. Use "
            f"norm={norm.removeprefix('keras_')}."
        )
