"""Documents that could not be built: which field is to blame, kept as a dead letter until a later build succeeds."""

from collections.abc import Sequence
from typing import Any

from argus.compile import Compiled
from proto.codec import decode_key
from proto.events import NOTIFICATIONS, Cause, Notification, RowChange, encode, lane_topic
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetterEntry, DeadLetters
from proto.values import from_python

STAGE = "build"


def subject(document_type: str, key: bytes) -> str:
    """A document's address as people write it: `ad/4711`."""
    return f"{document_type}/{','.join(map(str, decode_key(key)[1:]))}"


class BuildFailures:
    """Notes and clears dead letters of builds."""

    def __init__(self, dead_letters: DeadLetters, clock: Clock) -> None:
        self._dead_letters, self._clock = dead_letters, clock

    def note(self, compiled: Compiled, key: bytes, slots: Sequence[Any], cause: Cause, error: Exception) -> None:
        """Stores why the document could not be built; its last good version stays."""
        column, blamed = _culprit(compiled, slots)
        blamed = blamed or error
        now_ms = self._clock.now_ms()
        notification = Notification(Lane.LOW, [RowChange(compiled.document.root, key)])
        entry = DeadLetterEntry(
            stage=STAGE,
            subject=subject(compiled.document.name, key),
            reason=f"{type(blamed).__name__}: {blamed}",
            column=column,
            table=compiled.document.root,
            key=key,
            first_ms=now_ms,
            last_ms=now_ms,
            message=cause.change.to_bytes(8, "big") + encode(notification),
            topic=lane_topic(NOTIFICATIONS, Lane.LOW),
            lane=Lane.LOW,
        )
        self._dead_letters.put(entry)

    def clear(self, document_type: str, keys: Sequence[bytes]) -> None:
        """These were built: whatever letter they had is settled."""
        if self._dead_letters.count():
            for key in keys:
                self._dead_letters.clear(STAGE, subject(document_type, key))


def _culprit(compiled: Compiled, slots: Sequence[Any]) -> tuple[str, Exception | None]:
    """Computes field by field to find the one that raises, or whose value can't be stored."""
    for name, compute in compiled.parts.items():
        try:
            from_python(compute(*slots))
        except Exception as error:
            return name, error
    return "", None
