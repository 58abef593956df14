"""Cells that carry the name "layer-normalised" elsewhere, as settings of ours.

They are different functions, not different names of one: with the same weights their outputs
differ by as much as the outputs themselves. What each source normalises, carries and adds:

| variant    | source                               | norms                   | carries | bias    |
|------------|--------------------------------------|-------------------------|---------|---------|
| `paper`    | Ba, Kiros and Hinton, 2016           | x W and h U, all gates  | c       | b, β    |
| `addons`   | TensorFlow Addons                    | the same                | LN(c)   | b, β    |
| `contrib`  | TensorFlow 1, LayerNormBasicLSTMCell | the sum, gate by gate   | LN(c)   | β, 1    |
| `fastrnns` | PyTorch, benchmarks/fastrnns         | x W and h U             | LN(c)   | β       |
| `haste`    | LMNT's haste                         | x W and h U, gains only | c       | b       |
| `hou`      | Hou et al., 2019                     | both, by gate, γ = 0.1  | c       | b       |
| `sonnet1`  | Sonnet 1, LSTM(use_layer_norm=True)  | the sum, all gates      | c       | b, β, 1 |

All but `hou` and `sonnet1` normalise c on its way to h; the 1 of `contrib` and `sonnet1` is their
constant forget bias. All of them start from zeros with their exact gradient
(`init_state="zeros"`), which sequences that begin with zeros make infinite; pass another
`init_state` to train on such.
"""

from __future__ import annotations

from typing import Any

from seqnorm.spelling import did_you_mean

_AFFINE = {"name": "layer", "epsilon": 1e-5, "center": True}

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "lstm": {
        "paper": {"norm": _AFFINE, "cell_norm": "output", "unit_forget_bias": False},
        "addons": {"norm": {**_AFFINE, "epsilon": 1e-3}, "cell_norm": "carry"},
        "contrib": {
            "norm": {"name": "group", "epsilon": 1e-12, "center": True},
            "placement": "joint",
            "cell_norm": "carry",
            "use_bias": False,
            "forget_bias": 1.0,
        },
        "fastrnns": {"norm": _AFFINE, "cell_norm": "carry", "use_bias": False},
        "haste": {"norm": {"name": "layer", "epsilon": 1e-5}, "cell_norm": "output"},
        "hou": {
            "norm": {
                "name": "group",
                "epsilon": 1e-5,
                "gamma_initializer": {"class_name": "Constant", "config": {"value": 0.1}},
            },
            "cell_norm": "none",
        },
        "sonnet1": {
            "norm": _AFFINE,
            "placement": "joint",
            "cell_norm": "none",
            "unit_forget_bias": False,
            "forget_bias": 1.0,
        },
    },
    "simple_rnn": {
        "paper": {"norm": _AFFINE, "placement": "joint", "use_bias": False},
        "addons": {"norm": {**_AFFINE, "center": False}, "placement": "joint"},
    },
    "gru": {
        "paper": {"norm": _AFFINE, "gate_norm": "split", "use_bias": False},
        "haste": {"norm": {"name": "layer", "epsilon": 1e-5}, "gate_norm": "fused"},
    },
}


def preset(cell: str, variant: str | None) -> dict[str, Any]:
    """The constructor arguments of `cell` that make it the named variant; none for None.

    Raises:
        ValueError: if the source of that name has no such cell.
    """
    if variant is None:
        return {}
    known = VARIANTS.get(cell, {})
    if variant not in known:
        raise ValueError(
            f"Unknown `variant` of the {cell} cell. Received: variant={variant!r}. "
            f"Choose one of: {', '.join(known) or 'none, it has no variants'}."
            f"{did_you_mean(str(variant), known)}"
        )
    return {"init_state": "zeros", **known[variant]}
