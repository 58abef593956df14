"""The arrays that a call takes and gives, by name and in the order in which they travel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from seqnorm.kernels.host.tables import Table
from seqnorm.kernels.spec import SITES


class Weights(NamedTuple):
    """Parameters of a call, or their gradients; G = gates * units.

    The gains of a site without a norm are not used; pass ones. The offsets are added all the same,
    and hold every bias and beta of their side; only a cell whose sides stay apart (`CellKind`)
    tells the recurrent offset from the input's, so for others pass their sum as `offset_in`.
    """

    kernel: Any  # [E, G]
    recurrent_kernel: Any  # [H, G]
    gain_in: Any  # [G]
    gain_rec: Any  # [G]
    gain_state: Any  # [H]
    offset_in: Any  # [G]
    offset_rec: Any  # [G]
    offset_state: Any  # [H]

    @property
    def gains(self) -> tuple[Any, Any, Any]:
        """Of the input, recurrent and state site."""
        return self.gain_in, self.gain_rec, self.gain_state

    @property
    def offsets(self) -> tuple[Any, Any, Any]:
        """Likewise."""
        return self.offset_in, self.offset_rec, self.offset_state


class States(NamedTuple):
    """h and c, each [B, H]; c is not read unless the cell has one."""

    h: Any
    c: Any


WEIGHTS = len(Weights._fields)


class Inputs(NamedTuple):
    """Arrays of one call, in the order in which the operation takes them.

    Before `filled`, mask, states and moments that were not given are None.
    """

    x: Any
    mask: Any
    h: Any
    c: Any
    weights: Weights
    given: tuple[Any, ...]  # of each site
    counted: Any  # bool[]: whether the batch goes into the tables
    tables: tuple[Any, ...]  # one after the other, as `Scan.tables_of` takes them

    def filled(
        self, x: Any, ones: Callable[[], Any], zeros: Callable[[], Any], none: Any
    ) -> Inputs:
        """With something in every place where None stands for what was not given.

        Args:
            x: as the backend has it.
            ones: makes the mask, bool[B, T].
            zeros: makes the initial states, [B, H].
            none: for a site without given moments, of no element.
        """
        mask = ones() if self.mask is None else self.mask
        h, c = (zeros(),) * 2 if self.h is None else (self.h, self.c)
        given = tuple(none if each is None else each for each in self.given)
        return self._replace(x=x, mask=mask, h=h, c=c, given=given)

    @classmethod
    def of(cls, flat: Sequence[Any]) -> Inputs:
        """The opposite of `flat`."""
        cut, end = 4 + WEIGHTS, 4 + WEIGHTS + len(SITES)
        weights, given, tables = flat[4:cut], flat[cut:end], flat[end + 1 :]
        return cls(*flat[:4], Weights(*weights), tuple(given), flat[end], tuple(tables))

    def flat(self) -> list[Any]:
        """All arrays in one list."""
        return [*self[:4], *self.weights, *self.given, self.counted, *self.tables]

    @property
    def constants(self) -> int:
        """How many of `flat`, at its end, have no gradient."""
        return len(self.given) + 1 + len(self.tables)


class Outputs(NamedTuple):
    """Result of `fused_scan`."""

    y: Any | None  # what was asked for: [B, T, H] in running order, or [B, H] over alive steps
    h: Any  # [B, H] after the last alive step
    c: Any  # [B, H]
    # Site -> mean and variance of the rows alive [steps, 2, columns]; the steps that no row reached
    # are absent, or of no meaning where the backend needs to know all shapes before.
    moments: dict[str, Any]
    # Site -> the tables with the batch folded in, one for each that was given there.
    tables: dict[str, list[Table]]


def require_shapes(inputs: Inputs) -> None:
    """Compiled code checks no bounds: what does not fit would be read and written elsewhere."""
    kernel, recurrent = inputs.weights.kernel, inputs.weights.recurrent_kernel
    (batch, steps, features), (units, gates) = inputs.x.shape, recurrent.shape
    for name, value, wanted in (
        ("mask", inputs.mask, (batch, steps)),
        ("initial h", inputs.h, (batch, units)),
        ("initial c", inputs.c, (batch, units)),
        ("kernel", kernel, (features, gates)),
    ):
        if tuple(value.shape) != wanted:
            raise ValueError(
                f"The fused kernels need {name} of shape {wanted} for inputs of shape "
                f"{tuple(inputs.x.shape)}. Received: {name}.shape={tuple(value.shape)}. Give every "
                "row and step its own entry."
            )
