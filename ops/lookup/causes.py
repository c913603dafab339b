"""Which rows changed in a commit: what the notifications of that commit say."""

from proto.events import NOTIFICATIONS, RowChange, decode_notification, lane_topic
from proto.lane import Lane
from proto.ports.log import Log
from repo.system import SOURCES

_MESSAGES_MAX = 64
"""Of one commit, 256 rows each."""


def changed_rows(log: Log, change: int) -> list[RowChange]:
    """Rows of the commit with this timestamp, those of higher lanes first; empty once the log does not hold it any
    more."""
    found: list[RowChange] = []
    for topic in [lane_topic(NOTIFICATIONS, lane) for lane in Lane] if change else ():
        for partition in range(log.partitions(topic)):
            at = first_at(log, topic, partition, change)
            for message in log.read(topic, partition, at, _MESSAGES_MAX):
                if _timestamp(message.value) != change:
                    break
                found += decode_notification(message.value)[1].changes
    return [row for row in found if row.table != SOURCES]


def first_at(log: Log, topic: str, partition: int, change: int) -> int:
    """Offset of the first message of a commit at or above `change`, in a topic whose messages begin with the timestamp
    of their commit, and are in the order of it."""
    low, high = log.bounds(topic, partition)
    while low < high:
        middle = (low + high) // 2
        messages = log.read(topic, partition, middle, 1)
        if messages and _timestamp(messages[0].value) < change:
            low = middle + 1
        else:
            high = middle
    return low


def _timestamp(message: bytes) -> int:
    return int.from_bytes(message[:8], "big")
