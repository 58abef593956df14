from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from matplotlib import image

from seqnorm.lab.bench.measure import Samples, measure, summary
from seqnorm.lab.commands.bench import main
from seqnorm.machine import processor_name
from tests.tiers import exhaustive

pytest.importorskip("tensorflow")

SHAPE = ["--shapes", "2x3x4x5", "--rounds", "2"]


def test_subjects_take_turns_and_warming_up_is_not_counted():
    turns: list[str] = []
    subjects = {name: lambda name=name: turns.append(name) for name in "ab"}
    samples = measure(subjects, rounds=3, warm_up=2)
    assert "".join(turns) == "aabb" + "aabb" * 3  # each follows a step of its own
    assert all(len(each.wall) == len(each.cpu) == 3 for each in samples.values())


def test_summary_of_known_samples():
    samples = {
        "base": Samples([1.0, 2.0, 4.0], [1.0, 1.0, 1.0]),
        "other": Samples([3.0, 1.0, 1.0], [2.0, 2.0, 9.0]),
    }
    found = summary(samples, "base")
    assert found["base"][:3] == (1.0, 1.0, 1.0)
    assert found["other"].ratio == 0.5  # medians 1 and 2
    assert found["other"].paired == 0.5  # of 3, 1/2 and 1/4
    assert found["other"].cpu == 2.0
    assert found["other"][3:] == (1e3, 1e3, 2e3)


def test_steps_are_printed_drawn_and_kept(tmp_path, capsys):
    norms = ["--norms", "layer", "batch", "--ways", "fused", "keras-rnn"]
    assert main([*SHAPE, *norms, "--profile", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{processor_name()}, vectors of ")
    explained = {line.split()[0] for line in lines if line.startswith("  ")}
    assert {"wall", "paired", "cpu", "ms", "products", "keras", "fused"} <= explained
    names = ["keras", "products", "fused layer", "fused batch", "keras-rnn layer"]
    start = lines.index("lstm 2x3x4x5") + 2
    assert [line[2:26].strip() for line in lines[start : start + 5]] == names
    assert [line.split(":")[0] for line in lines[start + 5 :]] == ["  layer", "  batch"]
    record = json.loads((tmp_path / "bench.json").read_text())
    assert record["vector_bits"] in (128, 256, 512)
    assert list(record["samples"]["lstm 2x3x4x5"]) == names
    assert all(
        len(each["wall"]) == 2 and min(each["wall"]) > 0
        for each in record["samples"]["lstm 2x3x4x5"].values()
    )
    parts = record["profile_ms"]["lstm 2x3x4x5 layer"]
    assert 0 < min(parts.values()) <= max(parts.values()) == parts["whole step"]
    assert image.imread(tmp_path / "bench.png").std() > 0.05


def test_no_rounds_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--rounds", "0"])
    assert "received --rounds 0. Leave it out for 15." in capsys.readouterr().err


def test_padded_batches_are_timed_against_full_ones(tmp_path, capsys):
    assert main([*SHAPE, "--norms", "layer", "--share", "0.5", "--out", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    samples = json.loads((tmp_path / "bench.json").read_text())["samples"]["lstm 2x3x4x5"]
    padded, full = (np.median(samples[f"fused layer{end}"]["wall"]) for end in ("", ", full"))
    assert last.startswith(f"  fused layer takes {padded / full:.2f} of the time of full batches")


@exhaustive
def test_every_way_is_timed_on_the_same_task():
    import keras

    from seqnorm.lab.bench.shapes import Shape
    from seqnorm.lab.bench.subjects import subject

    found = []
    for mode in ("fit", "fit-last"):
        for way in ("fused", "loop", "keras-rnn"):
            keras.utils.set_random_seed(0)
            found.append(subject(f"{way} layer", "lstm", Shape(4, 6, 5, 3, 0.5), mode)()["loss"])
    np.testing.assert_allclose(found[:3], found[0], rtol=1e-5)
    np.testing.assert_allclose(found[3:], found[3], rtol=1e-5)
    assert abs(found[3] / found[0] - 1) > 0.1  # the last output is not the mean of all


def test_masks_of_padded_and_of_full_batches():
    from seqnorm.lab.bench.shapes import Shape

    shape = Shape(40, 50, 1, 1)
    lengths = shape._replace(share=0.4).mask().sum(1)
    assert abs(lengths.mean() / 50 - 0.4) < 0.02 and lengths.max() == 50
    for share in (0.6, 0.8, 0.95):
        assert abs(shape._replace(share=share).mask().mean() - share) < 0.02
    assert shape.mask() is None and shape._replace(masked=True).mask().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--norms", "lyer", *SHAPE], "lyer"),
        (["--epoch", "data=imbd"], "Did you mean imdb"),
    ],
)
def test_a_mistake_is_one_message(arguments, message, capsys):
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert "quartiles" not in out  # nothing was measured
    assert message in err and "Traceback" not in err


@pytest.mark.parametrize("shape", ["64x200", "2x3x4x0", "2x3x4xmany"])
def test_a_shape_that_is_none_is_refused_before_anything_is_loaded(shape, capsys, monkeypatch):
    monkeypatch.setattr("seqnorm.lab.commands.bench.import_keras", pytest.fail)
    with pytest.raises(SystemExit):
        main(["--shapes", "2x3x4x5", shape])
    assert f"such as 64x200x128x128; received {shape}" in capsys.readouterr().err


def test_kernels_are_not_asked_for_under_xla(capsys):
    with pytest.raises(SystemExit):
        main([*SHAPE, "--jit"])
    assert "--ways loop keras-rnn" in capsys.readouterr().err


@exhaustive
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_memory_grows_with_the_batch():
    from seqnorm.lab.bench.memory import peak
    from seqnorm.lab.bench.shapes import Shape

    small, large = (peak("fused layer", "lstm", Shape(rows, 50, 64, 64)) for rows in (4, 256))
    # Two products of 4 x 64 columns are kept for every token, as there are as many inputs as units.
    assert large - small > 0.9 * 252 * 50 * 2 * 256 * 4 / 2**20


@exhaustive
def test_epoch_of_both_models_is_kept(tmp_path, capsys):
    small = ["data=synthetic", "data.examples=200", "data.test_examples=50", "data.max_length=20",
             "cell.units=4", "model.embedding=4"]  # fmt: skip
    assert main(["--epoch", *small, "--rounds", "1", "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "bench.json").read_text())["epoch_seconds"]
    assert sorted(found) == ["keras-rnn", "seqnorm"]
    ratio = found["keras-rnn"]["wall"] / found["seqnorm"]["wall"]
    assert f"{ratio:.2f} times faster" in capsys.readouterr().out


def test_the_other_model_of_an_epoch_computes_the_same():
    import keras

    from seqnorm.lab import data
    from seqnorm.lab.bench.epoch import by_keras
    from seqnorm.lab.config.compose import compose
    from seqnorm.lab.models.build import build_model
    from seqnorm.layers import NormRNN

    config = compose(["data=synthetic", "data.examples=200", "cell.units=16", "model.embedding=16"])
    dataset = data.load(config.data, config.seed)
    # Of few units whose values nearly agree, a norm magnifies the last digits; not of these.
    keras.utils.set_random_seed(0)
    ours = build_model(config, dataset)
    other = keras.models.clone_model(ours, clone_function=by_keras)
    other.set_weights(ours.get_weights())
    tokens = dataset.train.sequences.padded(np.arange(5))
    np.testing.assert_allclose(ours(tokens), other(tokens), atol=1e-5)
    wrapped = other.get_layer("bidirectional_1").layer
    assert not any(
        isinstance(each, NormRNN) for each in (wrapped.forward_layer, wrapped.backward_layer)
    )
