"""A named tuple by reference: compiled code passes its address on, not a copy of its contents.

A `Call` holds hundreds of numbers, those of its arrays and of their shapes. By value, every
function that takes it has LLVM copy them all and then find out that nobody needs the copy: a fifth
of the time of compiling. Attributes read as those of the tuple; a tuple in it is a reference too.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model


class Reference(types.Type):
    """The type of a reference to a named tuple of type `target`."""

    def __init__(self, target: Any) -> None:
        self.target = target
        super().__init__(f"Reference({target})")

    def find(self, attribute: str) -> tuple[int, Any]:
        """Where an attribute stands in the tuple, and the type that it has here."""
        index = self.target.fields.index(attribute)
        kind = self.target.types[index]
        return index, Reference(kind) if isinstance(kind, types.BaseNamedTuple) else kind


@register_model(Reference)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Reference) -> None:
        super().__init__(manager, kind, manager.lookup(kind.target).get_value_type().as_pointer())


@infer_getattr
class _Attributes(AttributeTemplate):
    key = Reference

    def generic_resolve(self, kind: Reference, attribute: str) -> Any:
        return kind.find(attribute)[1] if attribute in kind.target.fields else None


@lower_getattr_generic(Reference)
def _attribute(context: Any, builder: Any, kind: Reference, value: Any, attribute: str) -> Any:
    index, found = kind.find(attribute)
    place = cgutils.gep_inbounds(builder, value, 0, index)
    return place if isinstance(found, Reference) else builder.load(place)


@intrinsic
def _reference(typing, target):
    """A reference to a named tuple, for as long as the function that asks for it runs."""

    def generate(context, builder, signature, values):
        return cgutils.alloca_once_value(builder, values[0])

    return Reference(target)(target), generate


# The decorator's result takes no `typing` argument, which type checkers cannot see.
reference: Any = _reference
