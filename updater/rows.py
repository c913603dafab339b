"""The rows of one table that a transaction works on: read at once, changed in memory unit by unit, written at once."""

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, NamedTuple

from proto.events import RowChange
from proto.lane import Lane
from proto.record import Record, encode
from repo.api import Snapshot, Transaction
from repo.rows import carried_over
from updater.layout import TableLayout
from updater.references import Place
from updater.version_guard import RowVersion, is_older, must_remember, row_version

RowRecords = list[Record | None]
"""The records of a row, by group."""


class Change(NamedTuple):
    """What became of a row that really changed, and the highest lane among its changed columns."""

    lane: Lane
    row: RowChange


class Origin(NamedTuple):
    """Where rows come from. source: the encoded name of the source."""

    kind: str
    version: RowVersion
    source: bytes


class RowSet:
    """Later units see what earlier ones of the same transaction left. healed: keys of rows that were parked, and no
    longer are."""

    def __init__(
        self, layout: TableLayout, keys: Iterable[bytes], snapshot: Snapshot, transaction: Transaction
    ) -> None:
        """One read a group for all keys."""
        self.healed: list[bytes] = []
        self._layout, self._transaction = layout, transaction
        self._table, self._main, self._links = layout.name, layout.main, layout.links
        self._keys = list(dict.fromkeys(keys))
        self._slots = {key: slot for slot, key in enumerate(self._keys)}
        records, stamps = [], []
        for group in layout.groups:
            versions = snapshot.read(self._table, group.name, self._keys)
            records.append(list(map(group.reader.record, versions)))
            stamps.append([0 if version is None else version.commit_timestamp for version in versions])
        self._rows: list[RowRecords] = list(map(list, zip(*records, strict=True)))
        self._stamps = [list(row) for row in zip(*stamps, strict=True)]  # 0: changed in this transaction
        self._versions = list(map(row_version, self._rows))
        self._dirty: list[set[int]] = [set() for _ in layout.groups]

    def put(self, key: bytes, values: list[list[Any]], origin: Origin, lacking: Sequence[Place] = ()) -> Change | None:
        """The row as it is at the origin's version. None: nothing changed, or the row is newer."""
        slot = self._slots[key]
        if self._versions[slot] > origin.version:  # is_older, in line
            return None
        before = self._rows[slot]
        main = before[self._main]
        if lacking:
            _fill(before, values, lacking)
        if main is None or main.values is None or main.parked:
            return self._renew(slot, values, origin)
        names: tuple[str, ...] = ()
        lane = Lane.LOW
        for number, (group, new) in enumerate(zip(self._layout.groups, values, strict=True)):
            record = before[number]
            old = [None] * len(new) if record is None or record.values is None else record.values
            if old == new and group.exact:
                continue
            changed = list(compress(range(len(new)), map(group.differs, old, new)))
            if changed:
                if not names:
                    before, lane = before.copy(), group.lane  # groups come highest lane first
                names += tuple([group.columns[at] for at in changed])
                self._write(slot, number, record, new, changed, origin.version)
        if not names:
            if must_remember(origin.kind, origin.version, self._versions[slot]):
                self._touch(slot, origin.version)
            return None
        self._versions[slot] = origin.version
        moves = None
        if not self._links.columns.isdisjoint(names):
            moves = self._links.move(self._transaction, origin.source, key, self._values(before), values)
        return Change(lane, RowChange(self._table, key, names, moves))

    def delete(self, key: bytes, origin: Origin) -> Change | None:
        """Leaves a tombstone, also for a row that was never seen: an older unit that brings it may still arrive."""
        slot = self._slots[key]
        if is_older(origin.version, self._versions[slot]):
            return None
        before = self._rows[slot]
        main = before[self._main]
        if main is None or (main.values is None and not main.parked):
            if must_remember(origin.kind, origin.version, self._versions[slot]):
                self._bury(slot, self._main, origin.version)
                self._versions[slot] = origin.version
            return None
        moves = None
        if main.values is not None:
            moves = self._links.move(self._transaction, origin.source, key, self._values(before), None)
        if main.parked:
            self.healed.append(key)
        for number, record in enumerate(before):
            if record is not None:
                self._bury(slot, number, origin.version)
        self._versions[slot] = origin.version
        return Change(self._layout.table.lane, RowChange(self._table, key, (), moves))

    def park(self, key: bytes, reason: str, origin: Origin) -> tuple[bool, Change | None]:
        """The newest row can't be stored: it keeps its old values and says why. First result: whether it is the
        newest at all."""
        slot = self._slots[key]
        if is_older(origin.version, self._versions[slot]):
            return False, None
        row = self._rows[slot]
        main = row[self._main]
        already = main is not None and bool(main.parked)
        if already and main is not None and (main.source, main.parked) == (origin.version, reason):
            return True, None
        for number, record in enumerate(row):
            values = None if record is None else record.values
            self._write(slot, number, record, values, (), origin.version, reason)
        self._versions[slot] = origin.version
        return True, None if already else Change(self._layout.table.lane, RowChange(self._table, key))

    def write(self) -> None:
        """Puts what changed into the transaction, each record encoded once."""
        write = self._transaction.write
        for number, (group, slots) in enumerate(zip(self._layout.groups, self._dirty, strict=True)):
            for slot in slots:
                write(self._table, self._keys[slot], group.name, encode(self._rows[slot][number]))

    def _renew(self, slot: int, values: list[list[Any]], origin: Origin) -> Change:
        """A row that is new, or is there again, or was parked: whoever reads it has to look again."""
        key, before = self._keys[slot], self._rows[slot].copy()
        main = before[self._main]
        for number, (group, new) in enumerate(zip(self._layout.groups, values, strict=True)):
            record = before[number]
            old = None if record is None else record.values
            changed = () if old is None else list(compress(range(len(new)), map(group.differs, old, new)))
            self._write(slot, number, None if old is None else record, new, changed, origin.version)
        if main is not None and main.parked:
            self.healed.append(key)
        self._versions[slot] = origin.version
        old_values = None if main is None or main.values is None else self._values(before)
        moves = self._links.move(self._transaction, origin.source, key, old_values, values)
        return Change(self._layout.table.lane, RowChange(self._table, key, (), moves))

    def _write(
        self,
        slot: int,
        number: int,
        record: Record | None,
        values: list[Any] | None,
        changed: Sequence[int],
        version: RowVersion,
        parked: str = "",
    ) -> None:
        schema = self._layout.groups[number].schema
        if record is None or record.values is None:
            written = Record(schema, values, version, parked=parked)
        else:
            base, since = carried_over(record, self._stamps[slot][number], changed)
            written = Record(schema, values, version, base, since or None, "", parked)
        self._rows[slot][number] = written
        self._stamps[slot][number] = 0
        self._dirty[number].add(slot)

    def _touch(self, slot: int, version: RowVersion) -> None:
        record = self._rows[slot][self._main]
        assert record is not None
        self._write(slot, self._main, record, record.values, (), version)
        self._versions[slot] = version

    def _bury(self, slot: int, number: int, version: RowVersion) -> None:
        self._write(slot, number, None, None, (), version)

    def _values(self, row: RowRecords) -> list[list[Any]]:
        groups = self._layout.groups
        return [
            [None] * len(group.columns) if record is None or record.values is None else record.values
            for group, record in zip(groups, row, strict=True)
        ]


def _fill(row: RowRecords, values: list[list[Any]], lacking: Sequence[Place]) -> None:
    """Stored values where the unit brings none."""
    for number, at in lacking:
        record = row[number]
        if record is not None and record.values is not None:
            values[number][at] = record.values[at]
