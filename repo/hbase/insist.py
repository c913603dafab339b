"""Calls that may be made again, because a second time does no harm."""

from collections.abc import Callable
from typing import TypeVar

from proto.errors import UnavailableError

_ATTEMPTS = 3

Answer = TypeVar("Answer")


def insist(call: Callable[[], Answer]) -> Answer:
    """Until it is answered. Raises UnavailableError when the last of a few attempts was not, either."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return call()
        except UnavailableError:
            pass
    return call()
