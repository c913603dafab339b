"""What could not be built or handled: which field or row is to blame, kept as a dead letter until it succeeds."""

from collections.abc import Iterable, Sequence
from typing import Any

from argus.api import RowRef
from argus.compile import Compiled
from argus.context import row_key
from argus.driver import CODE_ERRORS
from proto.codec import decode_key
from proto.errors import described
from proto.events import NOTIFICATIONS, Cause, Notification, RowChange, encode, lane_topic
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetterEntry, DeadLetters
from proto.record import encode as encode_record
from proto.values import from_python

BUILD_STAGE = "build"
HANDLE_STAGE = "handle"


def document_subject(document_type: str, key: bytes) -> str:
    """A document's address as people write it: `ad/4711`."""
    return f"{document_type}/{','.join(map(str, decode_key(key)[1:]))}"


def call_subject(handler: str, row: RowRef) -> str:
    """`pace_campaign campaigns/7`."""
    return f"{handler.rpartition(':')[2]} {row.table}/{','.join(map(str, row.key))}"


class Failures:
    """Notes and clears dead letters. Both join the durable group of the batch; neither is called inside a snapshot."""

    def __init__(self, dead_letters: DeadLetters, clock: Clock) -> None:
        self._dead_letters, self._clock = dead_letters, clock

    def not_built(self, compiled: Compiled, key: bytes, field: str, cause: Cause, error: BaseException) -> None:
        """Stores why the document could not be built; its last good version stays."""
        change = RowChange(compiled.document.root, key)
        self._put(BUILD_STAGE, document_subject(compiled.document.name, key), error, field, change, cause)

    def not_handled(
        self, handler: str, row: RowRef, columns: Iterable[str], cause: Cause, error: BaseException
    ) -> None:
        """Stores why a handler ended; the change stays unacknowledged, so that a replay runs it."""
        change = RowChange(row.table, row_key(row), tuple(sorted(columns)))
        self._put(HANDLE_STAGE, call_subject(handler, row), error, "", change, cause)

    def built(self, document_type: str, keys: Sequence[bytes]) -> None:
        """Whatever letters these documents had are settled."""
        if self._dead_letters.count():
            for key in keys:
                self._dead_letters.clear(BUILD_STAGE, document_subject(document_type, key))

    def handled(self, calls: Iterable[tuple[str, RowRef]]) -> None:
        """Whatever letters these (handler, row) had are settled."""
        if self._dead_letters.count():
            for handler, row in calls:
                self._dead_letters.clear(HANDLE_STAGE, call_subject(handler, row))

    def _put(
        self, stage: str, subject: str, error: BaseException, column: str, change: RowChange, cause: Cause
    ) -> None:
        now_ms = self._clock.now_ms()
        entry = DeadLetterEntry(
            stage=stage,
            subject=subject,
            reason=described(error),
            column=column,
            table=change.table,
            key=change.key,
            first_ms=now_ms,
            last_ms=now_ms,
            message=cause.change.to_bytes(8, "big") + encode(Notification(Lane.LOW, [change])),
            topic=lane_topic(NOTIFICATIONS, Lane.LOW),
            lane=Lane.LOW,
        )
        self._dead_letters.put(entry)


def culprit(compiled: Compiled, slots: Sequence[Any]) -> tuple[str, BaseException | None]:
    """Computes field by field to find the one that raises, or whose value can't be stored; ("", None): none does."""
    for name, compute in compiled.parts.items():
        try:
            encode_record(from_python(compute(*slots)))
        except CODE_ERRORS as error:
            return name, error
    return "", None
