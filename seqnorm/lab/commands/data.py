"""The command ``seqnorm-data``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqnorm.lab import console
from seqnorm.lab.config.compose import compose
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import RunConfig
from seqnorm.lab.durable import write_text, writing
from seqnorm.lab.errors import UserError, blame_the_input
from seqnorm.lab.quiet import import_keras
from seqnorm.lab.signals import interruptible
from seqnorm.lab.training import require_tensorflow

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def build_parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    parser = argparse.ArgumentParser(
        prog="seqnorm-data",
        description="Get a data set once and check it, or describe it and its batches.",
        epilog="Overrides are those of seqnorm-train: data=imdb data.dir=DIR data.batch_size=32. "
        "seqnorm-train --help lists the data sets. Full tracebacks: HYDRA_FULL_ERROR=1.",
    )
    parser.add_argument(
        "command",
        choices=("prepare", "show", "why"),
        help="prepare: download or convert what is not there, and check it; "
        "show: write a data card, numbers and pictures; "
        "why: draw what batch and layer norm divide by as its sequences end",
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="show: folder of the card (default: cards/<data set>)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=0,
        metavar="N",
        help="show: also time N training steps of the configured model",
    )
    return parser


@console.command
@interruptible("seqnorm-data: interrupted; what is finished was kept, the rest starts anew")
def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: command line without the program's name; None takes the process's own.

    Returns:
        Exit code: 0, 1 with one message on standard error if the configuration or the data is
        wrong, 130, 143 or 129 if interrupted by Ctrl-C, SIGTERM or SIGHUP.
    """
    parser = build_parser()
    options = parser.parse_intermixed_args(arguments)
    if options.command != "show" and (options.out or options.steps):
        parser.error(
            "arguments --out, --steps: they are of show, which writes the card; received "
            f"{options.command} with them. Leave them out: data.dir=... says where data is "
            "prepared, runs_dir=... where figures go."
        )
    try:
        if options.command == "why":
            draw_why(options.overrides)
            return 0
        config = compose(options.overrides)
        if options.command == "prepare":
            prepare(config)
        else:
            show(config, options.out or Path("cards") / config.data.name, options.steps)
    except (ConfigError, UserError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(f"seqnorm-data: {error}", file=sys.stderr)
        return 1
    return 0


def draw_why(overrides: Sequence[str]) -> None:
    """Draws the figure that `seqnorm.lab.why` is about, and says where it is.

    Raises:
        ConfigError: if the configuration asks for what the figure has no place for.
    """
    config = compose(overrides, "why")
    model, norm, tracking = config.model.name, config.norm.name, config.tracking.name
    if (model, norm, tracking) != ("classifier", "none", "local"):
        raise ConfigError(
            "the figure draws the statistics of all norms in a recurrent network without one, and "
            f"makes no run; received model={model}, norm={norm}, tracking={tracking}. Leave them "
            "out."
        )
    require_tensorflow()
    from seqnorm.lab.why.task import why

    for path in why(config, overrides):
        print(path, flush=True)


def prepare(config: RunConfig) -> None:
    """Gets the data set if it is not there, checks it, and says where it is."""
    from seqnorm.lab.data.prepare import prepare as prepare_data

    with blame_the_input():
        found = prepare_data(config.data)
    for thing in found:
        print(f"{thing.path}  {thing.size:,} bytes, {thing.state}")
    if not found:
        print(f"{config.data.name} is generated when it is loaded; there is nothing to prepare")


def show(config: RunConfig, folder: Path, steps: int) -> None:
    """Prints the data card and writes it with its pictures into ``folder``."""
    from seqnorm.lab import data

    kind = config.task.LABELS or config.data.KINDS[0]
    with blame_the_input():
        data.refuse_missing(config.data)
    import_keras()
    from seqnorm.lab.cards import speed

    start, begin = speed.peak_memory(), time.perf_counter()
    with blame_the_input():
        dataset = data.load(config.data, config.seed, kind)
    timing = {
        "loading_seconds": time.perf_counter() - begin,
        "start_memory_mb": start,
        "peak_memory_mb": speed.peak_memory(),
        "ids_mb": sum(
            part.sequences.values.nbytes
            for part in (dataset.train, dataset.validation, dataset.test)
        )
        / 1e6,
        "pipeline_tokens_per_second": speed.pipeline_speed(config, dataset),
    }
    if steps > 0:
        timing["training_tokens_per_second"] = speed.training_speed(config, dataset, steps)
    from seqnorm.lab.cards.features import draw_features
    from seqnorm.lab.cards.figures import draw_batches, draw_rows
    from seqnorm.lab.cards.measure import measure
    from seqnorm.lab.cards.page import page, picture_of_rows

    card = {**measure(dataset, config.data, config.seed), "speed": timing}
    text = page(card)
    pictures = {picture_of_rows(card): draw_rows(card), "batches.png": draw_batches(card)}
    if dataset.features:
        pictures["features.png"] = draw_features(card)
    print(text, flush=True)  # first: a folder that cannot be written costs no work
    with blame_the_input():
        write(folder, card, text, pictures)
    print(f"Card: {folder / 'card.md'}")


def write(folder: Path, card: dict[str, Any], text: str, pictures: dict[str, Figure]) -> None:
    """Writes card.json, card.md and the pictures; an older card in the folder is replaced whole.

    Raises:
        OSError: if the folder holds something else or cannot be written.
    """
    from seqnorm.lab.data import staging

    with staging.exclusive(folder.parent, folder.name) as staged:
        if folder.exists() and not (folder / "card.json").is_file():
            raise FileExistsError(
                f"--out must be a new folder or one with a card in it, received {folder}. Choose "
                "another one."
            )
        made = staged / "card"
        made.mkdir()
        write_text(made / "card.md", text)
        write_text(made / "card.json", json.dumps(card, indent=1) + "\n")
        for name, picture in pictures.items():
            with writing(folder / name):
                picture.savefig(made / name)
        staging.move_into(made, folder)


if __name__ == "__main__":
    sys.exit(main())
