"""Under a `tf.distribute` strategy: as on one device, or each replica by its own rows."""

from __future__ import annotations

from tests import grid, processes
from tests.tiers import exhaustive

pytestmark = grid.tensorflow_only

# A process of its own: a processor is divided before TensorFlow has looked at it. Rows end at
# different steps, so that from the third step on the second replica has no row alive.
SCRIPT = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from seqnorm import NormLSTM, normalizers

rng = np.random.default_rng(0)
x, y = rng.normal(size=(6, 4, 2)).astype("float32"), np.ones((6, 2))
mask = (np.arange(4) < np.array([4, 3, 4, 2, 1, 2])[:, None]).astype("float32")
both, one = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), tf.distribute.get_strategy()


def trained(norm, strategy, batch_size=6, **options):
    keras.utils.set_random_seed(3)
    with strategy.scope():
        # Keras 3.15 adds up the first batches of all replicas, which bool has no operation for.
        inputs = keras.Input((4, 2)), keras.Input((4,))
        outputs = NormLSTM(2, norm, **options)(inputs[0], mask=inputs[1] > 0)
        model = keras.Model(inputs, outputs)
        model.compile(keras.optimizers.SGD(0.5), "mse")
    model.fit([x, mask], y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    return {each.path: np.array(each) for each in model.weights}


def assert_same(ours, expected, what):
    for (path, value), other in zip(ours.items(), expected.values(), strict=True):
        assert np.allclose(value, other, rtol=1e-4, atol=1e-6), (what, path, value, other)
"""
ROWS_APART = """
for norm in (None, "layer", "rms", "dyt", normalizers.GroupNorm(2)):
    for implementation in ("auto", "loop"):
        options = {"implementation": implementation}
        assert_same(trained(norm, both, **options), trained(norm, one, **options), norm)
"""
TOGETHER = """
for small_batch in ("naive", "running", "shrink", "renorm"):
    norm = lambda: normalizers.BatchNorm(small_batch=small_batch, synchronized=True)
    assert_same(trained(norm(), both, unroll=True), trained(norm(), one), small_batch)
shared = lambda: normalizers.BatchNorm(input_statistics="sequence", synchronized=True)
assert_same(trained(shared(), both, unroll=True), trained(shared(), one), "sequence")
try:
    trained(norm(), both)
except ValueError as error:
    assert "need unroll=True" in str(error) and "2 replicas" in str(error), error
else:
    raise AssertionError("replicas have met inside a loop")
"""
BY_ITSELF = """
from seqnorm.ops.moments import Moments, merge

# Not trained, so that what enters the norm stays the same; each batch is seen as two of one device.
def seen(strategy, rows, implementation):
    keras.utils.set_random_seed(3)
    with strategy.scope():
        layer = NormLSTM(2, "batch", implementation=implementation, return_sequences=True)
        layer.build((None, 4, 2))
    def call(x, mask):
        return layer(x, mask=mask > 0, training=True)
    def part(context):
        own = rows[context.replica_id_in_sync_group]
        return tf.constant(x[own]), tf.constant(mask[own])
    if strategy is one:
        call(x[rows], mask[rows])
    else:
        values = strategy.experimental_distribute_values_from_function(part)
        tf.function(lambda pair: strategy.run(call, pair))(values)
    table = layer.cell.normalizers["recurrent"]
    return Moments(*(np.array(each)[:4] for each in (table.moving_mean, table.moving_variance,
                                                    table.count)))

halves = slice(0, 3), slice(3, 6)
for implementation in ("auto", "loop"):
    pooled = merge(*(seen(one, half, implementation) for half in halves))
    found = seen(both, halves, implementation)
    for ours, expected in zip(found, pooled, strict=True):
        assert np.allclose(ours, expected, rtol=1e-4, atol=1e-6), (implementation, ours, expected)
    assert found.count[:, 0].tolist() == [6, 5, 3, 2], found.count
"""


@exhaustive
def test_norms_of_each_row_train_as_on_one_device():
    done = processes.script(SCRIPT + ROWS_APART)
    assert done.returncode == 0, done.stderr[-2000:]


@exhaustive
def test_statistics_of_all_replicas_are_those_of_one_device_also_where_one_has_no_row():
    done = processes.script(SCRIPT + TOGETHER)
    assert done.returncode == 0, done.stderr[-2000:]


@exhaustive
def test_the_kept_statistics_are_of_all_rows_where_each_replica_normalises_by_its_own():
    done = processes.script(SCRIPT + BY_ITSELF)
    assert done.returncode == 0, done.stderr[-2000:]
