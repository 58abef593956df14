"""Every choice of an engine composes, and what could make no run is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from seqnorm.lab.comparison.plan import Plan
from seqnorm.lab.config.rules import ConfigError
from seqnorm.lab.config.schema import conf_dir
from seqnorm.lab.engine.config import SCHEMAS, check

SMALL = ["experiment=smoke", "compare.trials=0", "compare.name=small"]
FILES = sorted((conf_dir() / "engine").glob("*.yaml"))
NEEDED = {
    "dask": ["engine.address=tcp://127.0.0.1:8786"],
    "dask_ssh": ["engine.cluster.hosts=[one,two]"],
    "dask_kubernetes": ["engine.cluster.image=mine"],
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_choice_composes_and_gives_its_reasons(path: Path) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        options = [f"engine={path.stem}", *NEEDED.get(path.stem, [])]
        engine = OmegaConf.to_object(compose("comparison", options).engine)
    assert isinstance(engine, SCHEMAS[engine.name])
    check(engine)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    for line in lines:
        is_value = re.match(r" *\w+: ", line) and "name: " not in line and "_target_" not in line
        assert not is_value or " # " in line, line


def test_a_cluster_without_an_address_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"engine=dask needs engine.address.*received engine.add"):
        Plan([*SMALL, "engine=dask"])


@pytest.mark.parametrize(
    ("choice", "lines"),
    [
        ("slurm", ["#SBATCH -J seqnorm", "#SBATCH --mem=8G", "#SBATCH -t 04:00:00"]),
        ("pbs", ["#PBS -N seqnorm", "#PBS -l walltime=04:00:00"]),
        ("sge", ["#$ -N seqnorm", "#$ -l h_rt=04:00:00"]),
    ],
)
def test_what_a_queue_is_sent(choice: str, lines: list[str]) -> None:
    pytest.importorskip("dask_jobqueue")
    from seqnorm.lab.engine.cluster import started

    own = "+engine.cluster.scheduler_options={host: 127.0.0.1, dashboard_address: 127.0.0.1:0}"
    config = Plan([*SMALL, f"engine=dask_{choice}", own, "engine.scale=null"]).engine
    cluster = started(config)  # type: ignore[arg-type]
    try:
        script = cluster.job_script()
    finally:
        cluster.close()
    assert all(line in script for line in lines), script
    assert "--nthreads 1" in script and script.rstrip().endswith("--memory-limit 0")
