"""What ready-made cells share: a settled normaliser, and a config in the preset's own words."""

from __future__ import annotations

from typing import Any, ClassVar

from seqnorm.cells.base import NormCell
from seqnorm.cells.signatures import NamedArguments, constructors


class Preset(NormCell):
    """A cell whose normaliser is settled; its config holds the preset's arguments.

    Subclasses state in `SETTLED` which options of the general cell they settle, and call
    `_remember` with their own arguments, serialised.

    Args:
        units: width of the state.
        settled: the values of these options.
        **options: of the general cell, as they were given.

    Raises:
        ValueError: if the options hold one that is settled, or a `variant`.
    """

    SETTLED: ClassVar[tuple[str, ...]] = ("norm", "variant")

    __signature__ = NamedArguments(constructors, lambda cell: (*cell.SETTLED, "settled"))

    def __init__(self, units: int, settled: dict[str, Any], **options: Any):
        refused = [name for name in self.SETTLED if options.get(name) is not None]
        if refused:
            name = self.__class__.__name__
            raise ValueError(
                f"{name} settles {', '.join(self.SETTLED)} itself. Received: "
                f"{', '.join(f'{key}={options[key]!r}' for key in refused)}. Leave it out, or use "
                f"{name.replace('LayerNorm', 'Norm').replace('BatchNorm', 'Norm')}, which takes it."
            )
        super().__init__(units, **{**options, **settled})  # an option that is None is left open

    def _remember(self, **own: Any) -> None:
        # Past Keras's tracking, which would wrap the dict.
        object.__setattr__(self, "_own", own)

    def get_config(self) -> dict[str, Any]:
        """The general cell's arguments that are still open, and the preset's own."""
        config = super().get_config()
        return {**{k: v for k, v in config.items() if k not in self.SETTLED}, **self._own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The cell that `get_config` described."""
        return cls(**config)


def keras_arguments(arguments: dict[str, Any], *own: str) -> dict[str, Any]:
    """The arguments of a constructor that are Keras's, out of its `locals()`."""
    taken = {"self", "units", "kwargs", "__class__", *own}
    return {k: v for k, v in arguments.items() if k not in taken and not k.startswith("of_")}
