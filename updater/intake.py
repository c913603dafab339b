"""The rows of a unit, ready to be applied: good ones, deleted ones, and bad ones that are to be parked."""

from collections.abc import Mapping
from typing import NamedTuple

from proto.codec import source_prefix
from proto.errors import InvalidMessageError
from proto.events import TableRows, Unit
from proto.ports.processor import Item
from updater.extract import Extractor, Fault, GoodRow, deleted_key
from updater.layout import TableLayout
from updater.letters import Letters

_EXTRACTORS_MAX = 1024  # (table, columns) pairs; a schema change makes a new one


class Offer(NamedTuple):
    """A decoded message. at: its place in the batch."""

    at: int
    item: Item
    unit: Unit


class ParkedRow(NamedTuple):
    """A bad row with a good key. alone: the row by itself, as the unit brought it."""

    key: bytes
    fault: Fault
    alone: TableRows


class TableIntake(NamedTuple):
    """What a unit brings for one table. gone: rows that a comparison did not find; added when the rows of all units of
    the batch are known (updater.source_run)."""

    layout: TableLayout
    extractor: Extractor
    good: list[GoodRow]
    deleted: list[bytes]
    parked: list[ParkedRow]
    gone: list[bytes]

    def keys(self) -> list[bytes]:
        """Of the rows that the unit names."""
        return [*self.deleted, *[key for key, _ in self.good], *[row.key for row in self.parked]]


class Extractors:
    """Compiled once for each table and list of columns."""

    def __init__(self, layouts: Mapping[str, TableLayout]) -> None:
        self._layouts = layouts
        self._compiled: dict[tuple[str, tuple[str, ...]], Extractor] = {}

    def of(self, rows: TableRows) -> tuple[TableLayout, Extractor] | None:
        """None for a table that the flows file no longer has. Raises InvalidMessageError when key columns are not
        among the columns."""
        layout = self._layouts.get(rows.table)
        if layout is None:
            return None
        found = self._compiled.get((rows.table, rows.columns))
        if found is None:
            if len(self._compiled) >= _EXTRACTORS_MAX:
                self._compiled.clear()
            found = self._compiled[rows.table, rows.columns] = Extractor(layout, rows.columns)
        return layout, found


def take_in(offer: Offer, extractors: Extractors, letters: Letters) -> list[TableIntake]:
    """A whole unit. Rows without a key that can be stored leave only a dead letter. Raises InvalidMessageError (see
    Extractors.of)."""
    compiled = [(rows, extractors.of(rows)) for rows in offer.unit.tables]
    return [_table_intake(offer, rows, *known, letters) for rows, known in compiled if known is not None]


def _table_intake(
    offer: Offer, rows: TableRows, layout: TableLayout, extractor: Extractor, letters: Letters
) -> TableIntake:
    source = offer.unit.source
    good, bad = extractor.extract(rows.rows, source_prefix(source))
    found = TableIntake(layout, extractor, good, [], [], [])
    for raw in bad:
        _refuse(offer, TableRows(rows.table, rows.columns, [raw]), found, letters)
    for raw in rows.deleted:
        try:
            found.deleted.append(deleted_key(layout, raw, source))
        except InvalidMessageError as error:
            if len(raw) == len(layout.table.key):
                letters.gone(layout, source, raw)
                continue
            alone = TableRows(rows.table, rows.columns, [], [raw])
            letters.bad_row(offer.item, offer.unit, layout, alone, b"", raw, Fault("", str(error)))
    return found


def _refuse(offer: Offer, alone: TableRows, found: TableIntake, letters: Letters) -> None:
    (raw,) = alone.rows
    fault = found.extractor.fault(raw)
    try:
        key = found.extractor.key(raw, source_prefix(offer.unit.source))
    except InvalidMessageError:
        shown = found.extractor.raw_key(raw)
        letters.bad_row(offer.item, offer.unit, found.layout, alone, b"", shown, fault)
    else:
        found.parked.append(ParkedRow(key, fault, alone))
