"""Notifications of a transaction: changed rows of one unit, by lane and partition, in messages of bounded size."""

import xxhash

from proto.events import NOTIFICATIONS, Notification, RowChange, Unit, encode, lane_topic
from proto.lane import Lane
from repo.api import Transaction
from repo.system import SOURCES, source_key
from updater.rows import Changes

CHANGES_MAX = 256
"""Rows a message, so that a reader's batch of messages is bounded, too."""

_LANES = tuple(Lane)  # to iterate over an Enum costs more than the rest of a small unit
_STAYING = ("chunk", "backfill")
_TOPICS = {lane: lane_topic(NOTIFICATIONS, lane) for lane in Lane}


class Notices:
    """Collects the changes of units; `write` puts the messages of one unit into the transaction."""

    def __init__(self, transaction: Transaction, partitions: int, now_ms: float) -> None:
        """partitions: of the notifications topics; a row's partition is a hash of table and key."""
        self._transaction, self._partitions, self._now_ms = transaction, partitions, now_ms
        self._waiting: dict[tuple[Lane, int], list[RowChange]] = {}

    def add(self, unit: Unit, changes: Changes) -> None:
        """The changed rows of a unit. What a chunk or a backfill brings stays in its lane: it must not crowd out
        edits."""
        lowest = Lane(unit.lane) if unit.kind in _STAYING else Lane.HIGH
        for lane, rows in zip(_LANES, changes, strict=True):
            if rows:
                self._spread(max(lane, lowest), rows)

    def add_source(self, source: str) -> None:
        """The state of a source changed in a way that somebody waits for: tables are bootstrapped."""
        self._spread(Lane.LOW, [RowChange(SOURCES, source_key(source))])

    def write(self, unit: Unit) -> None:
        """Messages of what was added since the last call; `unit` gives the times."""
        for (lane, partition), rows in self._waiting.items():
            for start in range(0, len(rows), CHANGES_MAX):
                message = Notification(
                    lane, rows[start : start + CHANGES_MAX], unit.commit_ms, unit.capture_ms, self._now_ms
                )
                self._transaction.notify(_TOPICS[lane], partition, encode(message))
        self._waiting = {}

    def _spread(self, lane: Lane, rows: list[RowChange]) -> None:
        if self._partitions == 1:
            self._waiting.setdefault((lane, 0), []).extend(rows)
            return
        for row in rows:
            partition = xxhash.xxh32_intdigest(row.table.encode() + row.key) % self._partitions
            self._waiting.setdefault((lane, partition), []).append(row)
