"""How much of what waits in a lane is older than some age, and what it is about."""

from typing import NamedTuple

import msgspec

from ops.lag import time_ms
from ops.topics import CONSUMED
from proto.events import NOTIFICATIONS, decode_notification, decode_unit
from proto.flows.model import Flows
from proto.lane import Lane
from proto.ports.log import Log
from updater.stale import is_readable_again

_PAGE = 500

Row = tuple[str, object]
"""Table and key, encoded or as the source gave it."""


class StalePart(NamedTuple):
    """The stale messages of one partition: those in [position, below). end: of what waits.

    oldest_ms, newest_ms: wall clock of the first and the last of them.
    """

    stage: str
    lane: Lane
    topic: str
    partition: int
    position: int
    below: int
    end: int
    oldest_ms: float
    newest_ms: float

    @property
    def stale(self) -> int:
        """Messages that are stale."""
        return self.below - self.position

    @property
    def waiting(self) -> int:
        """Messages that wait, stale or not."""
        return self.end - self.position


def stale_parts(log: Log, stages: tuple[str, ...], lane: Lane, before_ms: float) -> list[StalePart]:
    """Of each partition of these stages in a lane that anything waits in. before_ms: older than this wall clock."""
    found = []
    for consumed in CONSUMED:
        if consumed.lane is not lane or consumed.consumer not in stages:
            continue
        for partition in range(log.partitions(consumed.topic)):
            position = log.position(consumed.consumer, consumed.topic, partition)
            end = log.bounds(consumed.topic, partition)[1]
            if position < end:
                below = _first_fresh(log, consumed.topic, partition, position, end, before_ms)
                ages = [_age_ms(log, consumed.topic, partition, at) for at in (position, max(position, below - 1))]
                found.append(StalePart(consumed.consumer, lane, consumed.topic, partition, position, below, end, *ages))
    return found


def droppable(log: Log, flows: Flows, part: StalePart) -> tuple[int, set[Row]]:
    """(how many of the stale messages may be dropped, every row that these are about)."""
    messages, rows = 0, set[Row]()
    at = part.position
    while at < part.below:
        page = log.read(part.topic, part.partition, at, min(_PAGE, part.below - at))
        if not page:
            break
        for message in page:
            found = _rows(flows, part.topic, message.value)
            messages += found is not None
            rows.update(found or ())
        at = page[-1].offset + 1
    return messages, rows


def _first_fresh(log: Log, topic: str, partition: int, low: int, high: int, before_ms: float) -> int:
    """The messages of a partition stand in the order of their ages, but for those that somebody has replayed; who drops
    them looks at the age of each, so to be wrong by some is no harm."""
    while low < high:
        middle = (low + high) // 2
        if _age_ms(log, topic, partition, middle) < before_ms:
            low = middle + 1
        else:
            high = middle
    return low


def _age_ms(log: Log, topic: str, partition: int, offset: int) -> float:
    """Wall clock of one message; 0.0 when it is gone."""
    return next((time_ms(topic, one.value) for one in log.read(topic, partition, offset, 1)), 0.0)


def _rows(flows: Flows, topic: str, message: bytes) -> list[Row] | None:
    """None: it may not be dropped, because it can't be read again."""
    if topic.startswith(NOTIFICATIONS):
        return [(change.table, change.key) for change in decode_notification(message)[1].changes]
    try:
        unit = decode_unit(message)
    except msgspec.DecodeError:
        return None
    if not is_readable_again(unit):
        return None
    found: list[Row] = []
    for rows in unit.tables:
        table = flows.tables.get(rows.table)
        if table is not None and set(table.key) <= set(rows.columns):
            places = [rows.columns.index(name) for name in table.key]
            found += [(rows.table, tuple([row[place] for place in places])) for row in rows.rows]
            found += [(rows.table, key) for key in rows.deleted]
    return found
