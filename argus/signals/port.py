"""The port to whoever knows: calls that are started in the loop, and made elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from argus.api import Reading

Key = Any
"""A stored scalar: int, str, ..."""

Fetcher = Callable[[Sequence[Key]], Mapping[Key, Reading | None]]
"""Keys -> what is known about each; None: nothing. A key that is left out has failed. May block, may raise anything."""


class Answer(NamedTuple):
    """A checked answer. values: aligned with the signal's fields, in stored form; None: nothing is known."""

    version: int
    values: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Call:
    """One call for many keys. number: counts a signal's calls."""

    signal: str
    number: int
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a call ended. refused: key -> why its answer is no good; error: why there is no answer at all, or ""."""

    call: Call
    answers: Mapping[Key, Answer] = field(default_factory=dict)
    refused: Mapping[Key, str] = field(default_factory=dict)
    error: str = ""


class Caller(Protocol):
    """Makes calls beside the loop. The loop never waits for one."""

    def start(self, call: Call) -> None:
        """Returns at once."""
        ...

    def finished(self) -> list[Finished]:
        """Calls that have ended since this was last asked, each once, however late."""
        ...


class Nobody:
    """A Caller of a process that can't fetch: each call fails."""

    def __init__(self) -> None:
        self._started: list[Call] = []

    def start(self, call: Call) -> None:
        self._started.append(call)

    def finished(self) -> list[Finished]:
        started, self._started = self._started, []
        return [Finished(call, error="this process fetches no signals") for call in started]
