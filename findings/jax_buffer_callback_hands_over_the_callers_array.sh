#!/usr/bin/env bash
# JAX: a jax.experimental buffer_callback gets the caller's own array, writable; a jax.pure_callback
# gets a copy.
#
# One would guess: what a callback gets is a copy, or at least read-only, since arrays of JAX do not
# change. So it is for pure_callback, where writing is an error.
# What happens: called outside of jit (and inside, where nothing else needs the memory), the buffer of
# buffer_callback is the memory of the caller's array, np.asarray of it can be written, and the write
# is seen in the caller's "immutable" array afterwards. Nothing warns.
# Why it matters: it makes buffer_callback the way to hand a large batch to compiled code without a
# copy, and one slip (an in-place operation in library code below the callback) changes the caller's
# data, so that the same call gives another answer the next time.
# Versions: jax 0.10.2, numpy 2.4.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "jax[cpu]==0.10.2" numpy==2.4.6
cat > "$work/try.py" <<'PY'
import jax, numpy as np
from jax import numpy as jnp
from jax.experimental.buffer_callback import buffer_callback

print("jax", jax.__version__, "numpy", np.__version__)
places, errors = {}, []


def buffered(context, out, x):
    x = np.asarray(x)
    places["buffer_callback"] = x.ctypes.data
    x *= 2  # in place, as code below a callback may do by mistake
    np.asarray(out)[...] = x


def pure(x):
    x = np.asarray(x)
    places["pure_callback"] = x.ctypes.data
    try:
        x *= 2
    except ValueError as error:
        errors.append(str(error))
    return 2 * x


like = jax.ShapeDtypeStruct((64, 200, 128), np.float32)
own, same = {}, {}
for name, call in {
    "buffer_callback": lambda x: buffer_callback(buffered, like)(x),
    "pure_callback": lambda x: jax.pure_callback(pure, like, x),
}.items():
    x = jnp.ones(like.shape, like.dtype)
    own[name] = x.unsafe_buffer_pointer()
    jax.block_until_ready(call(x))
    same[name] = places[name] == own[name]
    print(f"{name}: the caller's memory {same[name]}, its array afterwards {float(x[0, 0, 0])}")
    places[name + " after"] = float(x[0, 0, 0])
print("pure_callback, on writing:", errors)

as_described = (
    same == {"buffer_callback": True, "pure_callback": False}
    and places["buffer_callback after"] == 2
    and places["pure_callback after"] == 1
    and errors == ["output array is read-only"]
)
raise SystemExit(0 if as_described else 1)
PY
JAX_PLATFORMS=cpu "$work/venv/bin/python" "$work/try.py"
