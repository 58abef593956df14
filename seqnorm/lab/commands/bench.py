"""Times training steps against Keras and prints ratios; --out keeps every sample and a picture."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqnorm.lab import console
from seqnorm.lab.durable import write_text, writing
from seqnorm.lab.quiet import import_keras
from seqnorm.lab.signals import interruptible

if TYPE_CHECKING:
    from seqnorm.lab.bench.measure import Summary
    from seqnorm.lab.bench.shapes import Shape, Step

SHAPES = ("64x200x128x128", "128x100x64x64", "16x400x64x256")
BACKENDS = ("tensorflow", "torch", "jax")
FULL = ", full"  # the same subject, on batches without padding
LEGEND = """\
Each subject runs twice a round, in turn with the others, and the second time
is measured. A number below 1 is faster than {base}.
  keras      Keras's own layer, without a norm
  torch.nn   torch's own layer, likewise, in a loop of torch's own, over all tokens, padding too
  products   the matrix products of a step and nothing else: what no layer can be faster than
  fused      our layer with its time loop compiled; loop: our portable loop; keras-rnn: our cell in
             keras.layers.RNN
  wall       median time over the median of {base}, whose is 1 in every column
  paired     median of the ratios round by round, which what else runs on the machine moves least
  cpu        the same of the processor time of all threads
  ms         median time in milliseconds; quartiles: a quarter of the rounds took less, one more"""
HEADER = f"{'':26}{'wall':>7}{'paired':>8}{'cpu':>7}{'ms':>9}  quartiles"


def _shape(text: str) -> str:
    """Refuses what is no shape before anything is loaded."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*){3}", text):
        raise argparse.ArgumentTypeError(
            f"a shape is BATCHxSTEPSxINPUTSxUNITS, such as {SHAPES[0]}; received {text}"
        )
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="seqnorm-bench", description=__doc__)
    add = parser.add_argument
    add("--backend", default=BACKENDS[0], choices=BACKENDS,
        help="of Keras; TensorFlow need not be installed for another one")  # fmt: skip
    add("--cells", nargs="+", default=["lstm"], choices=["lstm", "gru", "simple_rnn"])
    add("--norms", nargs="+", default=["none", "layer", "group", "rms", "batch"], metavar="NORM")
    add("--ways", nargs="+", default=["fused"], choices=["fused", "loop", "keras-rnn"],
        help="how our cells run: fused kernels, our loop, keras.layers.RNN")  # fmt: skip
    add("--shapes", nargs="+", default=list(SHAPES), type=_shape, metavar="SHAPE",
        help="BATCHxSTEPSxINPUTSxUNITS")  # fmt: skip
    add("--mode", default="fit", choices=["fit", "fit-last", "gradient", "forward"],
        help="a training step on the mean output or on the last one; outputs and gradients; "
        "outputs")  # fmt: skip
    add("--share", type=float, default=1.0,
        help="mean length over the longest; below 1, our layers also run full batches")  # fmt: skip
    add("--jit", action="store_true", help="compile by XLA; not with --ways fused")
    add(
        "--others",
        action="store_true",
        help="also TorchScript and JAX, where installed; with --mode gradient",
    )
    add("--rounds", type=int, default=15, help="samples of each subject")
    add("--memory", action="store_true", help="also the peak memory of each subject")
    add("--profile", action="store_true", help="also where the time of each norm goes")
    add("--epoch", nargs="+", metavar="KEY=VALUE",
        help="instead: one epoch of a recipe, such as data=imdb cell.units=128")  # fmt: skip
    add("--out", type=Path, help="folder for bench.json and bench.png")
    add("--page", type=Path,
        help="Markdown file whose table of this backend and processor gets the ratios, such as "
        "docs/performance.md")  # fmt: skip
    return parser


@console.command
@interruptible("seqnorm-bench: interrupted")
def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.others and (options.mode != "gradient" or options.share < 1 or options.jit):
        parser.error(
            "argument --others: TorchScript and JAX run forward and backward on full batches; "
            f"received --mode {options.mode} --share {options.share}"
            f"{' --jit' if options.jit else ''}. Add --mode gradient and leave the rest out."
        )
    if options.jit and ("fused" in options.ways or options.memory or options.profile):
        parser.error(
            "argument --jit: the kernels do not run under XLA, and neither peak memory nor profile "
            "is taken under it. Add --ways loop keras-rnn and leave --memory and --profile out."
        )
    plain = options.mode == "fit" and options.share == 1 and options.ways == ["fused"]
    if options.page and (not plain or options.epoch or options.others):
        parser.error(
            "argument --page: the table is of full training steps with the kernels; leave --mode, "
            "--share, --ways, --jit, --others and --epoch out."
        )
    if options.rounds < 1:
        parser.error(
            f"argument --rounds: a median needs a sample; received --rounds {options.rounds}. "
            "Leave it out for 15."
        )
    _require_tensorflow(parser, options)
    os.environ["KERAS_BACKEND"] = options.backend
    import_keras()
    from seqnorm.lab.errors import UserError

    # Keras's loop around our cells is here to be measured.
    warnings.filterwarnings("ignore", message="keras.layers.RNN runs")
    try:
        _carry_out(options)
    except (UserError, OSError, ValueError) as error:
        print(f"seqnorm-bench: {console.uncoloured(str(error))}", file=sys.stderr)
        return 1
    return 0


def _require_tensorflow(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuses what runs on TensorFlow only where another backend is asked for."""
    asked = [name for name in ("epoch", "jit", "others") if getattr(options, name)]
    if asked and options.backend != "tensorflow":
        parser.error(
            f"argument --{asked[0]}: it is measured on TensorFlow; received --backend "
            f"{options.backend} --{asked[0]}. Leave one of them out."
        )


def _carry_out(options: argparse.Namespace) -> None:
    from seqnorm import machine
    from seqnorm.lab.bench import page

    record = {"machine": platform.platform(), "threads": machine.threads()}
    record |= {"processor": machine.processor_name(), "vector_bits": _vector_bits()}
    record["options"] = vars(options)
    if options.out:  # before hours of measuring
        options.out.mkdir(parents=True, exist_ok=True)
    if options.page:
        page.parts(options.page, options.backend)
    print(f"{_machine(record)}, {options.backend}")
    tables = {}
    if options.epoch:
        record["epoch_seconds"] = _epoch(options)
    else:
        tables = _steps(options, record)
    if options.out:
        text = json.dumps(record, indent=1, default=str)
        write_text(options.out / "bench.json", text)
        if tables:
            from seqnorm.lab.bench import picture

            with writing(options.out / "bench.png"):
                picture.draw(tables, options.out / "bench.png")
    if options.page:
        page.update(options.page, options.backend, _machine(record), tables)


def _steps(options: argparse.Namespace, record: dict) -> dict[str, dict[str, Summary]]:
    """Times single steps; the tables by cell and shape, everything measured in `record`."""
    from seqnorm.lab.bench.measure import measure, summary
    from seqnorm.lab.bench.shapes import Shape

    record |= {"samples": {}, "memory_mib": {}, "profile_ms": {}}
    tables: dict[str, Any] = {}
    shapes = {text: Shape.parse(text)._replace(share=options.share) for text in options.shapes}
    for cell in options.cells:
        for text, shape in shapes.items():
            title = f"{cell} {text}"
            samples = measure(_subjects(options, cell, shape), options.rounds)
            record["samples"][title] = {name: got._asdict() for name, got in samples.items()}
            if not tables:  # before the first
                legend = LEGEND.format(base=_base(options))
                print(f"{options.mode}, {options.rounds} rounds. {legend}")
            tables[title] = summary(samples, _base(options))
            print(f"\n{title}\n{HEADER}")
            for name, row in tables[title].items():
                print(f"  {name:24}{row.ratio:7.2f}{row.paired:8.2f}{row.cpu:7.2f}"
                      f"{row.milliseconds:9.1f}  {row.low:.1f} to {row.high:.1f}")  # fmt: skip
            for name in _ours(options) if options.share < 1 else ():
                row = summary(samples, name + FULL)[name]
                print(f"  {name} takes {row.ratio:.2f} of the time of full batches, "
                      f"paired {row.paired:.2f}, processor time {row.cpu:.2f}")  # fmt: skip
            _extras(options, record, title, cell, shape)
    return tables


def _vector_bits() -> int | None:
    """Width of a vector register; None without numba's compiler, which is who knows."""
    from seqnorm import machine

    try:
        return 8 * machine.vector_bytes()
    except ImportError:
        return None


def _machine(record: dict) -> str:
    bits = record["vector_bits"]
    vectors = f"vectors of {bits} bits, " if bits else ""
    return f"{record['processor']}, {vectors}{record['threads']} threads"


def _subjects(options: argparse.Namespace, cell: str, shape: Shape) -> dict[str, Step]:
    """Steps by name; with padding ours also on full batches, with a mask like the padded ones."""
    from seqnorm.lab.bench import others
    from seqnorm.lab.bench.subjects import subject

    ours = _ours(options)
    shapes = {name: shape for name in (_base(options), "products", *ours)}
    if options.share < 1:
        shapes |= {name + FULL: shape._replace(share=1.0, masked=True) for name in ours}
    steps = {
        name: subject(name.removesuffix(FULL), cell, shape, options.mode, options.jit)
        for name, shape in shapes.items()
    }
    if options.others and cell == "lstm":
        steps |= {name: others.OTHERS[name](shape) for name in others.installed()}
    return steps


def _epoch(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Times an epoch of training, of which `rounds` batches are looked at."""
    from seqnorm.lab.bench.epoch import epoch

    found = epoch(options.epoch, options.rounds)
    for name, seconds in found.items():
        print(f"  {name:24}{seconds['wall']:9.1f} s an epoch{seconds['cpu']:9.1f} s of processor")
    wall, cpu = (found["keras-rnn"][kind] / found["seqnorm"][kind] for kind in ("wall", "cpu"))
    print(f"  {wall:.2f} times faster, by processor time {cpu:.2f} times")
    return found


def _base(options: argparse.Namespace) -> str:
    """The subject that all others are compared with."""
    return "torch.nn" if options.backend == "torch" else "keras"


def _ours(options: argparse.Namespace) -> list[str]:
    """Names of our subjects; Keras's RNN cannot host per-step statistics."""
    pairs = [(way, norm) for way in options.ways for norm in options.norms]
    return [f"{way} {norm}" for way, norm in pairs if (way, norm) != ("keras-rnn", "batch")]


def _extras(options: argparse.Namespace, record: dict, title: str, cell: str, shape: Shape) -> None:
    """Peak memory and profile, where asked for."""
    from seqnorm.lab.bench.memory import peak
    from seqnorm.lab.bench.profile import breakdown

    if options.memory:
        names = [_base(options), *_ours(options)]
        found = {name: peak(name, cell, shape, options.mode) for name in names}
        record["memory_mib"][title] = found
        print("  peak memory of a step, MiB: ", {k: round(v) for k, v in found.items()})
    if options.profile:
        for norm in options.norms:
            parts = breakdown(norm, cell, shape, options.mode, options.rounds)
            record["profile_ms"][f"{title} {norm}"] = parts
            print(f"  {norm}: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in parts.items()))


if __name__ == "__main__":
    sys.exit(main())
