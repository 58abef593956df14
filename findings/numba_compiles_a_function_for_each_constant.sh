#!/usr/bin/env bash
# numba: a compiled function is compiled anew for every constant that compiled code calls it with.
#
# One would guess: a constant integer has the type int64, as from Python, so f(x, 0) and f(x, 1) share code
# and the constant is left to LLVM, which sees it when it inlines.
# What happens: each constant is tried as a type of its own first, and a function that takes any integer
# takes that. Of three calls with 0, 1 and a variable come three compiled versions; with NumPy's integers,
# which are constants just as well, it is one.
# Why it matters: a kernel made of many small functions compiles each of them several times. Where calls
# pass np.int64(0) for 0, numbers and the inlined code are the same.
# Versions: numba 0.68.1, numpy 2.4.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numba==0.68.1 numpy==2.4.6
cat > "$work/constants.py" <<'PY'
import numba
import numpy as np

ZERO, ONE = np.int64(0), np.int64(1)


@numba.njit
def plain(x, by):
    return x[0] * by


@numba.njit
def other(x, by):
    return x[0] * by


@numba.njit
def constants(x, n):
    return plain(x, 0) + plain(x, 1) + plain(x, n)


@numba.njit
def numpys(x, n):
    return other(x, ZERO) + other(x, ONE) + other(x, n)


print("numba", numba.__version__, "numpy", np.__version__)
x = np.full(1, 2.0)
assert constants(x, 3) == numpys(x, 3) == 8.0
for name, function in (("0, 1 and a variable", plain), ("NumPy's 0 and 1, and a variable", other)):
    print(f"{name}: compiled {len(function.signatures)} times for", [str(s[1]) for s in function.signatures])
print("called from Python, 0 is", numba.typeof(0))
raise SystemExit(0 if (len(plain.signatures), len(other.signatures)) == (3, 1) else 1)
PY
"$work/venv/bin/python" "$work/constants.py"
