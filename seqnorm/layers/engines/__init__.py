"""The ways to run cells over time: the portable loop, and the fused kernels where they can."""

from __future__ import annotations

from seqnorm import kernels
from seqnorm.layers.engines.call import Call
from seqnorm.layers.engines.fused import Fused
from seqnorm.layers.engines.loop import Loop
from seqnorm.layers.engines.why_not import fused_obstacle, warn_once
from seqnorm.spelling import did_you_mean

IMPLEMENTATIONS = ("auto", "loop", "fused")


def check_implementation(implementation: str) -> None:
    """Refuse a name that is not one of `IMPLEMENTATIONS`."""
    if implementation not in IMPLEMENTATIONS:
        raise ValueError(
            f"Unknown `implementation`. Received: implementation={implementation!r}. "
            f"Choose one of: {', '.join(IMPLEMENTATIONS)}; leave out the number of Keras 2."
            f"{did_you_mean(str(implementation), IMPLEMENTATIONS)}"
        )


def engine_of(call: Call, implementation: str, name: str) -> type[Loop] | type[Fused]:
    """What runs the cells in a call.

    Args:
        call: what is asked for.
        implementation: one of `IMPLEMENTATIONS`.
        name: of the layer, for the message.

    Raises:
        ValueError: for "fused" where the kernels cannot serve.
    """
    if implementation == "loop":
        return Loop
    obstacle = fused_obstacle(call)
    if obstacle is None:
        return Fused
    if implementation == "fused":
        raise ValueError(
            "`implementation='fused'` needs what the kernels can compute. Received: "
            f"{name}, where {obstacle}. Use implementation='auto' or 'loop'."
        )
    if obstacle in (kernels.not_here(), kernels.NOT_IN.format(call.cells[0].compute_dtype)):
        warn_once(obstacle)
    return Loop
