"""What happened in a run, in order: kept cheaply, written out only when somebody wants to read it."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Event(NamedTuple):
    """at_ms: simulated time. text holds a `{}` for each of `details`, which are shown when it is read."""

    at_ms: float
    actor: str
    text: str
    details: tuple[Any, ...]


class Trace:
    """Grows for one run only, and goes with it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._events: list[Event] = []

    def add(self, actor: str, text: str, *details: Any) -> None:
        self._events.append(Event(self._now(), actor, text, details))

    def __len__(self) -> int:
        return len(self._events)

    def digest(self) -> str:
        """Equal for equal runs."""
        return hashlib.sha256("\n".join(map(repr, self._events)).encode()).hexdigest()

    def last(self, count: int, actors: Sequence[str] = ()) -> str:
        """The newest `count` events, a line each; of these actors only, if any are named."""
        events = [event for event in self._events if not actors or event.actor in actors]
        return "\n".join(map(line, events[-count:]))


def line(event: Event) -> str:
    return f"{event.at_ms:10.3f}  {event.actor:<10}  {event.text.format(*map(shown, event.details))}"


def shown(value: Any) -> str:
    """Bytes and what is nested, short enough for a line."""
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(key)}: {shown(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(shown, value)) + ")"
    return str(value)


def _bytes(value: bytes) -> str:
    text = "".join(chr(byte) if 32 < byte < 127 else "." for byte in value)
    return text if len(text) <= 60 else f"{text[:57]}..."
