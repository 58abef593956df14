"""Under a `tf.distribute` strategy: layer norm trains as on one device, batch norm is refused."""

from __future__ import annotations

from tests import grid, processes
from tests.tiers import exhaustive

pytestmark = grid.tensorflow_only

# A process of its own: a processor is divided before TensorFlow has looked at it.
SCRIPT = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from seqnorm import NormLSTM

x, y = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32"), np.ones((4, 2))


def trained(norm, strategy, implementation="auto"):
    keras.utils.set_random_seed(3)
    with strategy.scope():
        layer = NormLSTM(2, norm, implementation=implementation)
        model = keras.Sequential([keras.Input((3, 2)), layer])
        model.compile(keras.optimizers.SGD(0.5), "mse")
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


both, one = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), tf.distribute.get_strategy()
on_one = trained("layer", one)
for implementation in ("auto", "loop"):
    pairs = zip(on_one, trained("layer", both, implementation), strict=True)
    assert all(np.allclose(*pair, rtol=1e-4, atol=1e-6) for pair in pairs), implementation
try:
    trained("batch", both)
except ValueError as error:
    assert "norm='batch' in " in str(error) and "with 2 replicas" in str(error), error
else:
    raise AssertionError("batch statistics were trained on two replicas")
"""


@exhaustive
def test_layer_norm_trains_as_on_one_device_and_batch_norm_is_refused():
    done = processes.script(SCRIPT)
    assert done.returncode == 0, done.stderr[-2000:]
