"""Dead letters of rows that can't be stored: collected while a transaction is made, handed over when it is
committed."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from proto.codec import decode_key
from proto.events import UPDATES, TableRows, Unit, encode, lane_topic
from proto.lane import Lane
from proto.ports.dead_letters import DeadLetterEntry, DeadLetters
from proto.ports.processor import Item
from updater.extract import Fault
from updater.layout import TableLayout

STAGE = "apply"
_SHOWN_CHARACTERS_MAX = 120


class Letters:
    """Of one transaction. Nothing reaches the store before `deliver`, so that a transaction may be made again after a
    conflict."""

    def __init__(self, now_ms: float) -> None:
        self._now_ms = now_ms
        self._waiting: dict[str, DeadLetterEntry | None] = {}  # subject -> what to put; None: clear

    def bad_row(
        self,
        item: Item,
        unit: Unit,
        layout: TableLayout,
        rows: TableRows,
        key: bytes,
        shown_key: Sequence[Any],
        fault: Fault,
    ) -> None:
        """rows: cut down to the one bad row, so that it can be offered again by itself. key b"": it has none that
        could be stored."""
        lane = Lane(unit.lane)
        subject = subject_of(layout, unit.source, shown_key)
        self._waiting[subject] = DeadLetterEntry(
            stage=STAGE,
            subject=subject,
            reason=fault.reason,
            column=fault.column,
            table=layout.name,
            key=key,
            attempts=item.attempt,
            first_ms=self._now_ms,
            last_ms=self._now_ms,
            message=encode(_cut(unit, rows)),
            topic=lane_topic(UPDATES, lane),
            partition=_partition(item.source),
            lane=lane,
        )

    def healed(self, layout: TableLayout, source: str, key: bytes) -> None:
        """A parked row has a good version, or is gone."""
        self._waiting[subject_of(layout, source, decode_key(key)[1:])] = None

    def gone(self, layout: TableLayout, source: str, shown_key: Sequence[Any]) -> None:
        """A row whose key could never be stored is gone: only its letter was there."""
        self._waiting[subject_of(layout, source, shown_key)] = None

    def deliver(self, store: DeadLetters) -> None:
        """After the commit. Should this process die in between, the unit is offered again, and finds its bad rows
        again."""
        for subject, entry in self._waiting.items():
            if entry is None:
                store.clear(STAGE, subject)
            else:
                store.put(entry)
        self._waiting = {}


def subject_of(layout: TableLayout, source: str, key: Sequence[Any]) -> str:
    """`ads/4711`; a composite key as a JSON list; with the source's name where the flows file gives the table several
    sources."""
    shown = _shown(key[0]) if len(key) == 1 else json.dumps([_plain(value) for value in key], ensure_ascii=False)
    if len(shown) > _SHOWN_CHARACTERS_MAX:
        digest = hashlib.blake2b(shown.encode(errors="backslashreplace"), digest_size=4).hexdigest()
        shown = f"{shown[:_SHOWN_CHARACTERS_MAX]}...{digest}"
    return f"{layout.name}/{source}:{shown}" if len(layout.table.sources) > 1 else f"{layout.name}/{shown}"


def _cut(unit: Unit, rows: TableRows) -> Unit:
    return Unit(
        unit.source, unit.kind, unit.incarnation, unit.begin, unit.position, unit.lane, [rows],
        commit_ms=unit.commit_ms, capture_ms=unit.capture_ms,
    )  # fmt: skip


def _shown(value: Any) -> str:
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    return "0x" + value.hex() if isinstance(value, bytes) else repr(value)


def _partition(source: str) -> int:
    """Of an Item's source, "topic/partition@offset"; 0 when it came another way."""
    number = source.rpartition("/")[2].partition("@")[0]
    return int(number) if number.isdecimal() else 0
