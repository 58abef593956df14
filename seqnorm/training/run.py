"""One run from top to bottom, in the order of a paper's method section."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from seqnorm import data
from seqnorm.config import RunConfig
from seqnorm.config_checks import validate
from seqnorm.errors import blame_the_input
from seqnorm.models.classifier import build_classifier
from seqnorm.tracking.factory import make_sinks
from seqnorm.training.fit import Training
from seqnorm.training.record import RunFolder
from seqnorm.training.result import closing_line, conclude
from seqnorm.training.seeding import start_afresh


def run(config: RunConfig) -> dict[str, Any]:
    """Trains, evaluates and records one network.

    Args:
        config: the complete configuration.

    Returns:
        The content of result.json.

    Raises:
        ConfigError: if the configuration contradicts itself.
        UserError: if data is missing or damaged, or a component refuses its arguments.
    """
    validate(config)
    start_afresh(config.seed, config.train.deterministic)
    with blame_the_input():
        dataset = data.load(config.data, config.seed)
        model = build_classifier(config, dataset.vocabulary.size, dataset.num_classes)
        sinks = make_sinks(config.tracking)
    folder = RunFolder.create(config)
    with sinks:
        sinks.start(asdict(config), folder.name, folder.path)
        print(f"{folder.path}  {model.count_params():,} parameters", flush=True)
        training = Training(config, dataset, model, sinks)
        diverged = training.fit()
        result = conclude(config, dataset, model, training, diverged, folder)
        sinks.summary(result)
        folder.finish(result)
    print(closing_line(result), flush=True)
    return result
