"""Which errors are the user's to mend, and so are shown without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something outside the program is wrong: missing data, an argument a component refuses."""


@contextmanager
def blame_the_input() -> Iterator[None]:
    """Turns what a block raises about its input into a `UserError` with the same message.

    Only for blocks that check what the user gave (reading data, building the model). The training
    loop stays outside: a ValueError in there is a fault of the program, and needs its traceback.
    """
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        raise UserError(str(error)) from error
