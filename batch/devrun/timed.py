"""How long an author's coroutine itself takes."""

from collections.abc import Callable, Coroutine
from typing import Any


class Timed(Coroutine[Any, Any, Any]):
    """A coroutine whose own time is counted, without that of the reads that it awaits."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], clock_ns: Callable[[], int]) -> None:
        self._coroutine, self._clock_ns = coroutine, clock_ns
        self.elapsed_ns = 0

    def send(self, value: Any) -> Any:
        started = self._clock_ns()
        try:
            return self._coroutine.send(value)
        finally:
            self.elapsed_ns += self._clock_ns() - started

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Any:
        return self._coroutine.__await__()
