"""Dead letters: what could not be processed, why, and what to do about it."""

from collections.abc import Iterator
from typing import Protocol

import msgspec


class DeadLetterEntry(msgspec.Struct, array_like=True, kw_only=True):
    """One thing that failed.

    stage      "capture", "apply", "build", "handle", "publish"
    subject    what failed, as an address that people read: "ads/4711" (row), "ad/4711" (document), "pace_campaign
               campaigns/7"
    column     the column or field, if one is to blame
    message    the message (a unit cut down to its row, a notification), as bytes that `replay` can offer again; b""
               when the source is read again
    lane       in which replay goes
    """

    stage: str
    subject: str
    reason: str
    column: str = ""
    table: str = ""
    key: bytes = b""
    attempts: int = 1
    first_ms: float = 0.0
    last_ms: float = 0.0
    message: bytes = b""
    topic: str = ""
    partition: int = 0
    lane: int = 0


class DeadLetters(Protocol):
    """Keyed by (stage, subject): the newest failure replaces the older one and keeps its first_ms; durable with the
    group."""

    def put(self, entry: DeadLetterEntry) -> None: ...

    def clear(self, stage: str, subject: str) -> bool:
        """True when there was one. Cheap when there is none at all."""
        ...

    def get(self, stage: str, subject: str) -> DeadLetterEntry | None: ...

    def entries(self) -> Iterator[DeadLetterEntry]: ...

    def count(self) -> int: ...
