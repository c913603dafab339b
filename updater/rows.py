"""The rows of one table that a transaction works on: read at once, changed in memory unit by unit, written at once."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from proto.events import RowChange
from proto.record import DROPPED, Record, encode
from repo.api import Cell, Snapshot, Transaction
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
        self._numbered = tuple(enumerate(layout.groups))
        self._keys = list(dict.fromkeys(keys))
        self._slots = {key: slot for slot, key in enumerate(self._keys)}
        records: list[list[Record | None]] = []
        self._stamps: list[list[int]] = []  # commit timestamps by group and slot; 0: changed in this transaction
        for group in layout.groups:
            versions = snapshot.read(self._table, group.name, self._keys)
            records.append(group.reader.records(versions))
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
            row = stored[slot]
            main = row[main_number]
            if lacking:
                _fill(row, values, lacking)
            if main is None or main.values is None or main.parked:
                self._renew(slot, values, origin, changes)
            elif differences := self._differences(row, values):
                self._change(slot, values, differences, origin, changes)
            elif must_remember(origin.kind, version, versions[slot]):
                self._write(slot, main_number, main.values, (), version)

    def delete(self, key: bytes, origin: Origin, changes: Changes) -> None:
        """Leaves a tombstone, also for a row that was never seen: an older unit that brings it may still arrive."""
        slot = self._slots[key]
        if is_older(origin.version, self._versions[slot]):
            return
        before = self._rows[slot]
        main = before[self._main]
        if main is None or (main.values is None and not main.parked):
            if must_remember(origin.kind, origin.version, self._versions[slot]):
                self._write(slot, self._main, None, (), origin.version)
            return
        moves = None
        if main.values is not None:
            moves = self._links.move(self._transaction, origin.source, key, self._values(before), None)
        if main.parked:
            self.healed.append(key)
        for number, record in enumerate(before):
            if record is not None:
                self._write(slot, number, None, (), origin.version)
        changes[self._layout.table.lane].append(RowChange(self._table, key, (), moves))

    def park(self, key: bytes, reason: str, origin: Origin, changes: Changes) -> bool:
        """The newest row can't be stored: it keeps its old values and says why. False: it is not the newest at all."""
        slot = self._slots[key]
        if is_older(origin.version, self._versions[slot]):
            return False
        main = self._rows[slot][self._main]
        already = main is not None and bool(main.parked) and not main.parked.startswith(DROPPED)
        if already and main is not None and (main.source, main.parked) == (origin.version, reason):
            return True
        self._keep(slot, origin.version, reason)
        if not already:
            changes[self._layout.table.lane].append(RowChange(self._table, key))
        return True

    def newer_than(self, version: RowVersion, keys: Iterable[bytes]) -> int:
        """How many of these rows the guard holds against this version."""
        return sum(self._versions[self._slots[key]] > version for key in keys)

    def drop(
        self, key: bytes, values: Values | None, reason: str, origin: Origin, lacking: Sequence[Place] = ()
    ) -> bool:
        """The newest row is not to be stored: it keeps its old values, and nobody is told, but whoever reads it sees
        that it is parked. False: nothing is lost, it is not the newest, or the same. values None: it was deleted."""
        slot, version = self._slots[key], origin.version
        if is_older(version, self._versions[slot]):
            return False
        row = self._rows[slot]
        main = row[self._main]
        if main is None or not main.parked:
            before = None if main is None else main.values
            if values is not None and lacking:
                _fill(row, values, lacking)
            if before is values or (before is not None and values is not None and not self._differences(row, values)):
                if must_remember(origin.kind, version, self._versions[slot]):
                    self._write(slot, self._main, before, (), version)
                return False
        told = main is not None and bool(main.parked) and not main.parked.startswith(DROPPED)
        self._keep(slot, version, main.parked if told and main is not None else reason)
        return True

    def write(self) -> None:
        """Puts what changed into the transaction, each record encoded once."""
        writes, table, keys, rows, new = self._transaction.writes, self._table, self._keys, self._rows, tuple.__new__
        for number, (group, slots) in enumerate(zip(self._layout.groups, self._dirty, strict=True)):
            name = group.name
            for slot in slots:
                # as Cell(table, ...), in two thirds of the time
                writes[new(Cell, (table, keys[slot], name))] = encode(rows[slot][number])

    def _keep(self, slot: int, version: RowVersion, parked: str) -> None:
        """The values stay as they are, under a newer version."""
        for number, record in enumerate(self._rows[slot]):
            self._write(slot, number, None if record is None else record.values, (), version, parked)

    def _differences(self, row: RowRecords, values: Values) -> list[tuple[int, list[int]]]:
        """(group, positions of the columns that differ) for those groups that do."""
        found = []
        for number, group in self._numbered:
            record, new = row[number], values[number]
            old = group.nulls if record is None or record.values is None else record.values
            if differing := group.differing(old, new):
                found.append((number, differing))
        return found

    def _change(
        self, slot: int, values: Values, differences: list[tuple[int, list[int]]], origin: Origin, changes: Changes
    ) -> None:
        """A row that is there, with other values."""
        groups, key = self._layout.groups, self._keys[slot]
        names: tuple[str, ...] = ()
        for number, positions in differences:
            group = groups[number]
            names += group.single[positions[0]] if len(positions) == 1 else group.named(positions)
        moves = None
        if not self._linked.isdisjoint(names):
            old = self._values(self._rows[slot])
            moves = self._links.move(self._transaction, origin.source, key, old, values)
        for number, positions in differences:
            self._write(slot, number, values[number], positions, origin.version)
        highest = groups[differences[0][0]].lane  # groups come highest lane first
        changes[highest].append(RowChange(self._table, key, names, moves))

    def _renew(self, slot: int, values: Values, origin: Origin, changes: Changes) -> None:
        """A row that is new, or is there again, or was parked: whoever reads it has to look again."""
        key, row = self._keys[slot], self._rows[slot]
        main = row[self._main]
        if main is not None and main.parked:
            self.healed.append(key)
        old = None if main is None or main.values is None else self._values(row)
        moves = self._links.move(self._transaction, origin.source, key, old, values)
        positions = {} if old is None else dict(self._differences(row, values))
        for number, new in enumerate(values):
            self._write(slot, number, new, positions.get(number, ()), origin.version)
        changes[self._layout.table.lane].append(RowChange(self._table, key, (), moves))

    def _write(
        self,
        slot: int,
        number: int,
        values: list[Any] | None,
        changed: Sequence[int],
        version: RowVersion,
        parked: str = "",
    ) -> None:
        """The next version of a record, in place. changed: positions of the columns that differ from the last one, if
        there was one. values None: a tombstone, or never good."""
        record, schema = self._rows[slot][number], self._layout.groups[number].schema
        if record is None or record.values is None or values is None:
            self._rows[slot][number] = Record(schema, values, version, parked=parked)
        else:
            base, since = carried_over(record, self._stamps[number][slot], changed)
            record.schema, record.values, record.source = schema, values, version
            record.base, record.since, record.parked = base, since or None, parked
        self._stamps[number][slot] = 0
        self._versions[slot] = version
        self._dirty[number].add(slot)

    def _values(self, row: RowRecords) -> Values:
        groups = self._layout.groups
        return [
            group.nulls if record is None or record.values is None else record.values
            for group, record in zip(groups, row, strict=True)
        ]


def _fill(row: RowRecords, values: Values, lacking: Sequence[Place]) -> None:
    """Stored values where the unit brings none."""
    for number, at in lacking:
        record = row[number]
        if record is not None and record.values is not None:
            values[number][at] = record.values[at]
