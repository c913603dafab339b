"""Services are processors; the engine in ops owns the loop, the threads, the positions, the retries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from proto.lane import Lane


class Item(NamedTuple):
    """One message handed to a processor. attempt counts from 1."""

    value: bytes
    lane: Lane
    attempt: int
    source: str  # "topic/partition@offset", for messages to people


@dataclass(frozen=True, slots=True)
class Done:
    """Processed: its effects are written (durable with the surrounding group)."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. The engine offers it again after `after_ms`, with attempt + 1; what it had written stays undone or is
    idempotent."""

    after_ms: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Never. The engine stores message, reason and attempts, and goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Deliberately not processed; counted."""

    reason: str


Outcome = Done | Retry | DeadLetter | Drop
DONE = Done()


class Processor(Protocol):
    """Value in, outcome out, in the order of the batch. Never polls, sleeps, saves positions or starts threads."""

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        """An exception means: nothing of the batch was written; the engine offers it again, one by one if need be."""
        ...
