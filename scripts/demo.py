"""Three small runs on synthetic texts, the floor under them, and the report on both."""

import sys

from seqnorm.analysis.cli import main as report
from seqnorm.cli import train
from seqnorm.compose import compose
from seqnorm.training.floor import write_floor

if __name__ == "__main__":
    config = compose(["experiment=demo", *sys.argv[1:]])
    code = train(["-m", "experiment=demo", "norm=none,layer,batch", *sys.argv[1:]])
    if code == 0:
        write_floor(config)
        code = report([config.runs_dir])
    sys.exit(code)
