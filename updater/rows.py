"""The rows of one table that a transaction works on: read at once, changed in memory unit by unit, written at once."""

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, NamedTuple

from proto.events import RowChange
from proto.lane import Lane
from proto.record import Record, encode
from repo.api import Snapshot, Transaction
from repo.rows import carried_over
from updater.extract import GoodRow, Values
from updater.layout import TableLayout
from updater.references import Place
from updater.version_guard import RowVersion, is_older, must_remember, row_versions

RowRecords = list[Record | None]
"""The records of a row, by group."""


Changes = list[list[RowChange]]
"""Rows that really changed, by the highest lane among their changed columns."""


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
        self._linked = layout.links.columns
        self._keys = list(dict.fromkeys(keys))
        self._slots = {key: slot for slot, key in enumerate(self._keys)}
        records: list[list[Record | None]] = []
        self._stamps: list[list[int]] = []  # commit timestamps by group and slot; 0: changed in this transaction
        for group in layout.groups:
            versions = snapshot.read(self._table, group.name, self._keys)
            records.append(list(map(group.reader.record, versions)))
            self._stamps.append([0 if version is None else version.commit_timestamp for version in versions])
        self._rows: list[RowRecords] = list(map(list, zip(*records, strict=True)))
        self._versions = row_versions(records)
        self._dirty: list[set[int]] = [set() for _ in layout.groups]

    def put(self, rows: Iterable[GoodRow], origin: Origin, changes: Changes, lacking: Sequence[Place] = ()) -> None:
        """Rows as they are at the origin's version; those that are older than what is stored change nothing."""
        version, main_number = origin.version, self._main
        slots, versions, stored = self._slots, self._versions, self._rows
        for key, values in rows:
            slot = slots[key]
            if versions[slot] > version:  # is_older, in line
                continue
            before = stored[slot]
            main = before[main_number]
            if lacking:
                _fill(before, values, lacking)
            if main is None or main.values is None or main.parked:
                self._renew(slot, values, origin, changes)
            elif names := self._differences(slot, before, values, version):
                versions[slot] = version
                lane, columns = names
                moves = None
                if not self._linked.isdisjoint(columns):
                    moves = self._links.move(self._transaction, origin.source, key, self._values(before), values)
                changes[lane].append(RowChange(self._table, key, columns, moves))
            elif must_remember(origin.kind, version, versions[slot]):
                self._touch(slot, version)

    def _differences(
        self, slot: int, before: RowRecords, values: Values, version: RowVersion
    ) -> tuple[Lane, tuple[str, ...]] | None:
        """Writes the groups that differ; (highest lane, names of the columns), None when none does."""
        names: tuple[str, ...] = ()
        for number, group in enumerate(self._layout.groups):
            new, record = values[number], before[number]
            old = record.values if record is not None else None
            if old == new and group.exact:
                continue
            if old is None:
                old = [None] * len(new)
            changed = list(compress(range(len(new)), map(group.differs, old, new)))
            if not changed:
                continue
            found = group.single[changed[0]] if len(changed) == 1 else tuple([group.columns[at] for at in changed])
            if names:
                names += found
            else:
                lane, names = group.lane, found  # groups come highest lane first
                self._rows[slot] = before.copy()
            self._write(slot, number, record, new, changed, version)
        return (lane, names) if names else None

    def delete(self, key: bytes, origin: Origin, changes: Changes) -> None:
        """Leaves a tombstone, also for a row that was never seen: an older unit that brings it may still arrive."""
        slot = self._slots[key]
        if is_older(origin.version, self._versions[slot]):
            return
        before = self._rows[slot]
        main = before[self._main]
        if main is None or (main.values is None and not main.parked):
            if must_remember(origin.kind, origin.version, self._versions[slot]):
                self._bury(slot, self._main, origin.version)
                self._versions[slot] = origin.version
            return
        moves = None
        if main.values is not None:
            moves = self._links.move(self._transaction, origin.source, key, self._values(before), None)
        if main.parked:
            self.healed.append(key)
        for number, record in enumerate(before):
            if record is not None:
                self._bury(slot, number, origin.version)
        self._versions[slot] = origin.version
        changes[self._layout.table.lane].append(RowChange(self._table, key, (), moves))

    def park(self, key: bytes, reason: str, origin: Origin, changes: Changes) -> bool:
        """The newest row can't be stored: it keeps its old values and says why. False: it is not the newest at all."""
        slot = self._slots[key]
        if is_older(origin.version, self._versions[slot]):
            return False
        row = self._rows[slot]
        main = row[self._main]
        already = main is not None and bool(main.parked)
        if already and main is not None and (main.source, main.parked) == (origin.version, reason):
            return True
        for number, record in enumerate(row):
            values = None if record is None else record.values
            self._write(slot, number, record, values, (), origin.version, reason)
        self._versions[slot] = origin.version
        if not already:
            changes[self._layout.table.lane].append(RowChange(self._table, key))
        return True

    def write(self) -> None:
        """Puts what changed into the transaction, each record encoded once."""
        write, table, keys, rows = self._transaction.write, self._table, self._keys, self._rows
        for number, (group, slots) in enumerate(zip(self._layout.groups, self._dirty, strict=True)):
            name = group.name
            for slot in slots:
                write(table, keys[slot], name, encode(rows[slot][number]))

    def _renew(self, slot: int, values: Values, origin: Origin, changes: Changes) -> None:
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
        changes[self._layout.table.lane].append(RowChange(self._table, key, (), moves))

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
            base, since = carried_over(record, self._stamps[number][slot], changed)
            written = Record(schema, values, version, base, since or None, "", parked)
        self._rows[slot][number] = written
        self._stamps[number][slot] = 0
        self._dirty[number].add(slot)

    def _touch(self, slot: int, version: RowVersion) -> None:
        record = self._rows[slot][self._main]
        assert record is not None
        self._write(slot, self._main, record, record.values, (), version)
        self._versions[slot] = version

    def _bury(self, slot: int, number: int, version: RowVersion) -> None:
        self._write(slot, number, None, None, (), version)

    def _values(self, row: RowRecords) -> Values:
        groups = self._layout.groups
        return [
            [None] * len(group.columns) if record is None or record.values is None else record.values
            for group, record in zip(groups, row, strict=True)
        ]


def _fill(row: RowRecords, values: Values, lacking: Sequence[Place]) -> None:
    """Stored values where the unit brings none."""
    for number, at in lacking:
        record = row[number]
        if record is not None and record.values is not None:
            values[number][at] = record.values[at]
