"""Messages of the documents topic, found by what they hold. The topic is in the order of publish_ms."""

from collections.abc import Iterator
from typing import NamedTuple

from proto.events import DOCUMENTS, DeltaDocument, decode_delta
from proto.ports.log import Log, Message

_PAGE = 256
_SCANNED_MAX = 50_000
"""Messages that a search looks through: in so far a document may be published behind its commit (a bulk load)."""
_CLOCK_MS = 50.0
"""By so much a commit timestamp may be ahead of the clock."""
_PER_MS = 1_000_000


class Published(NamedTuple):
    """A document's message and its place in the topic."""

    offset: int
    delta: DeltaDocument


def find(log: Log, document_type: str, key: bytes, sequence: int) -> Published | None:
    """The message of that version; None: it was never published, or is not kept any more."""
    at = _first_since(log, sequence / _PER_MS - _CLOCK_MS)
    for _ in range(_SCANNED_MAX // _PAGE):
        messages = log.read(DOCUMENTS, 0, at, _PAGE)
        if not messages:
            return None
        for offset, value in messages:
            if key in value:  # far cheaper than to decode it
                delta = decode_delta(value)
                if delta.key == key and delta.type == document_type and delta.sequence >= sequence:
                    return Published(offset, delta) if delta.sequence == sequence else None
        at = messages[-1].offset + 1
    return None


def newest(log: Log, count: int) -> list[Published]:
    """The documents among the last messages, newest first."""
    return [found for _, found in zip(range(count), _backwards(log), strict=False)]


def _backwards(log: Log) -> Iterator[Published]:
    first, end = log.bounds(DOCUMENTS, 0)
    while end > first:
        begin = max(first, end - _PAGE)
        for offset, value in reversed(_between(log, begin, end)):
            delta = decode_delta(value)
            if delta.kind == "document":
                yield Published(offset, delta)
        end = begin


def _between(log: Log, begin: int, end: int) -> list[Message]:
    """A page may be more bytes than one read gives."""
    messages: list[Message] = []
    while begin < end and (found := log.read(DOCUMENTS, 0, begin, end - begin)):
        messages += found
        begin = found[-1].offset + 1
    return messages


def _first_since(log: Log, ms: float) -> int:
    """Offset of the first message that was published at that time or later."""
    low, high = log.bounds(DOCUMENTS, 0)
    while low < high:
        middle = (low + high) // 2
        if _publish_ms(log, middle) < ms:
            low = middle + 1
        else:
            high = middle
    return low


def _publish_ms(log: Log, offset: int) -> float:
    """Of the message there, or, of one that has no time, of the next one that has; infinity at the end."""
    while messages := log.read(DOCUMENTS, 0, offset, 1):
        delta = decode_delta(messages[0].value)
        if delta.publish_ms:
            return delta.publish_ms
        offset += 1
    return float("inf")
