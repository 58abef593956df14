"""Three small runs on synthetic texts, the floor under them, and the report on all four."""

import sys

from seqnorm.lab.commands.report import main as report
from seqnorm.lab.commands.train import main as train
from seqnorm.lab.config.compose import compose, floor_of
from seqnorm.lab.quiet import import_keras

if __name__ == "__main__":
    preset = ["experiment=demo", *sys.argv[1:]]
    config = compose(preset)
    code = train(["-m", "norm=none,layer,batch", *preset])
    floor = floor_of(config)
    if code == 0 and floor:
        import_keras()
        from seqnorm.lab.training.run import run

        run(floor)
        code = report([config.runs_dir])
    sys.exit(code)
