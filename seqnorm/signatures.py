"""Constructors that hand arguments on, shown with all of them by name and held to these.

An editor and `help()` show what a signature says, and `**kwargs` says nothing. Written out, the
arguments of Keras's cell would stand in every class above it; here they are read off the chain.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any

import keras

from seqnorm.spelling import did_you_mean

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# What Keras's constructors take out of their **kwargs, and no signature shows.
_UNSHOWN = ("implementation", "input_dim", "input_shape")
# Keras's arguments, of today and of Keras 2, that have no counterpart here.
_OF_KERAS = {
    "use_cudnn": " cuDNN has no norm inside its steps: leave it out. implementation= is what runs.",
    "time_major": " Sequences are [batch, time, features]: transpose them.",
}


class Default(str):
    """The default of an argument, told from the same word as somebody passes it.

    For arguments to which None is a value: it cannot say that nothing was given.
    """


class NamedArguments:
    """The `__signature__` of a class: what its `constructors` take, one handing on to the next.

    A constructor without `**kwargs` ends the chain, so that of a subclass of one's own is right.

    Args:
        constructors: those of a class, in this order.
        hidden: names that the class does not take, although some constructor does.
    """

    def __init__(
        self,
        constructors: Callable[[Any], Iterable[Callable[..., None]]],
        hidden: Callable[[Any], Collection[str]],
    ):
        self.constructors, self.hidden = constructors, hidden

    def __get__(self, instance: Any, owner: type) -> inspect.Signature | None:
        if instance is not None:
            return None  # an object's signature is that of its call
        hidden, found = self.hidden(owner), dict[str, inspect.Parameter]()
        for depth, constructor in enumerate(self.constructors(owner)):
            parameters = [*inspect.signature(constructor).parameters.values()][1:]
            for one in parameters:
                if one.kind not in _VARIABLE and one.name not in (*hidden, *found):
                    kind = one.kind if depth == 0 else inspect.Parameter.KEYWORD_ONLY
                    found[one.name] = one.replace(kind=kind)
            if all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in parameters):
                break
        return inspect.Signature(sorted(found.values(), key=lambda one: one.kind))


def constructors(owner: type) -> list[Callable[..., None]]:
    """The constructors of a class and those above it, down to that of `keras.layers.Layer`."""
    above = owner.__mro__
    if keras.layers.Layer in above:
        above = above[: above.index(keras.layers.Layer) + 1]
    return [vars(each)["__init__"] for each in above if "__init__" in vars(each)]


def refuse_unknown(
    owner: type, given: Iterable[str], taken: Iterable[Callable[..., None]] | None = None
) -> None:
    """Refuses what no constructor of a class takes, with the nearest that one does.

    Args:
        owner: the class that is made.
        given: the names that its constructor hands on.
        taken: the constructors that they are for; default those of `owner`.

    Raises:
        ValueError: naming the nearest argument, or all of them if none is near.
    """
    known = {
        name
        for constructor in (constructors(owner) if taken is None else taken)
        for name in inspect.signature(constructor).parameters
    }
    for name in given:
        if name in known or name in _UNSHOWN:
            continue
        shown = [*inspect.signature(owner).parameters]
        advice = _OF_KERAS.get(name) or did_you_mean(name, shown)
        advice = advice or f" The arguments are: {', '.join(shown)}."
        raise ValueError(f"{owner.__name__} takes no argument {name!r}.{advice}")
