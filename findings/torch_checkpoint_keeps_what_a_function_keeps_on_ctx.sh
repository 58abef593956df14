#!/usr/bin/env bash
# torch.utils.checkpoint drops what an autograd.Function saves by save_for_backward, and keeps what it
# sets as an attribute of ctx.
#
# One would guess: a checkpoint (use_reentrant=False) forgets everything between the first pass and
# the backward pass, which makes it again; that is what it is for.
# What happens: it works by hooks on saved tensors. Tensors under ctx.save_for_backward are dropped
# and made again. An array, a tensor or a handle set as ctx.kept lives on through the whole forward
# pass of the model, and the backward pass gets the kept one of the FIRST pass together with the
# saved tensors of the second.
# Why it matters: a Function around a library of one's own (NumPy, numba, C++) keeps what is no tensor
# on ctx, as the documentation suggests, and a checkpoint around it then saves no memory at all. A
# small tensor that stands for the object, saved by save_for_backward, is dropped as it should be.
# Versions: torch 2.13.0, numpy 2.4.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/try.py" <<'PY'
import weakref
import numpy as np, torch
from torch.utils.checkpoint import checkpoint

print("torch", torch.__version__, "numpy", np.__version__)
passes, alive = [], {"ctx": [], "saved": []}


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        passes.append(len(passes))
        kept, saved = np.full(1000, passes[-1]), np.full(1000, passes[-1])
        alive["ctx"].append(weakref.ref(kept))
        alive["saved"].append(weakref.ref(saved))
        ctx.kept = kept
        ctx.save_for_backward(x, torch.from_numpy(saved))
        return x**2

    @staticmethod
    def backward(ctx, slope):
        x, saved = ctx.saved_tensors
        print(f"backward: on ctx from pass {ctx.kept[0]}, saved from pass {int(saved[0])}")
        found.append((int(ctx.kept[0]), int(saved[0])))
        return 2 * x * slope


found = []
x = torch.ones(3, requires_grad=True)
y = checkpoint(Square.apply, x, use_reentrant=False)
held = {name: refs[0]() is not None for name, refs in alive.items()}
print("between the passes there are still:", held)
y.sum().backward()
print("gradient", x.grad.tolist())

as_described = held == {"ctx": True, "saved": False} and found == [(0, 1)]
raise SystemExit(0 if as_described else 1)
PY
"$work/venv/bin/python" "$work/try.py"
