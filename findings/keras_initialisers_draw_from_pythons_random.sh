#!/usr/bin/env bash
# Keras: an initialiser without a seed takes one from Python's `random`, when it is made.
#
# One would guess: first weights come from Keras's own generator, which keras.utils.set_random_seed
# sets, or from the backend's; Python's `random` has nothing to do with them.
# What happens: each initialiser without a seed calls random.randint once, as the layer is made and
# not as it is built. So random.seed(0), meant for the data, decides the first weights as well; NumPy
# and the backend do not. And making a layer moves the stream of everybody else's random.random(),
# also a layer that has no weights yet and never will. Seeds for both initialisers do not end that: the
# generator of a dropout of 0 draws its seed too, unless the layer's `seed` is given.
# Why it matters: workers of a sweep that call random.seed(seed of the data) start from the same
# weights in every run and look like independent repetitions; a check of a layer is reproduced by
# putting random.getstate() back, and no key of JAX or torch has a part in it.
# Versions: keras 3.15.1, jax 0.10.2 (the backend plays no part).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet keras==3.15.1 "jax[cpu]==0.10.2"
cat > "$work/try.py" <<'PY'
import random

import jax, keras, numpy as np

print("keras", keras.__version__, "jax", jax.__version__)


def first(seed_python, seed_numpy):
    random.seed(seed_python)
    np.random.seed(seed_numpy)
    layer = keras.layers.LSTM(2)
    random.seed(99)  # between making and building: too late to matter
    layer.build((None, None, 3))
    return keras.ops.convert_to_numpy(layer.cell.kernel)


by_python = np.array_equal(first(0, 1), first(0, 2)) and not np.array_equal(first(0, 1), first(3, 1))
print("the kernel depends on random.seed and on nothing else:", by_python)

random.seed(5)
undisturbed = random.random()
random.seed(5)
keras.layers.LSTM(2)  # never built
moved = random.random() != undisturbed
print("making a layer moved random.random():", moved)

random.seed(5)
keras.layers.LSTM(2, kernel_initializer=keras.initializers.GlorotUniform(seed=1),
                  recurrent_initializer=keras.initializers.Orthogonal(seed=2))
still = random.random() != undisturbed
print("with seeds for both initialisers it moved still:", still)
random.seed(5)
keras.layers.LSTM(2, kernel_initializer=keras.initializers.GlorotUniform(seed=1),
                  recurrent_initializer=keras.initializers.Orthogonal(seed=2), seed=3)
stays = random.random() == undisturbed
print("with one for the dropout that is off as well it stayed:", stays)
raise SystemExit(0 if by_python and moved and still and stays else 1)
PY
KERAS_BACKEND=jax "$work/venv/bin/python" "$work/try.py"
