"""Which parts of a document's condition are not true, with the values that they look at."""

from collections.abc import Mapping, Sequence
from typing import Any

from ops.lookup.read_rows import ReadRow, row_text
from ops.opened import DataFolder
from ops.row_view import StoredColumn, read_row
from proto.flows.conditions import parse
from proto.flows.demands import parts_of
from proto.flows.model import Document
from proto.flows.paths import resolve
from proto.record import SignalReading
from repo.api import Snapshot
from ui.why.facts import Part, Value


def unmet(
    folder: DataFolder, snapshot: Snapshot, document: Document, rows: Sequence[ReadRow],
    readings: Mapping[str, SignalReading],
) -> list[Part]:  # fmt: skip
    """The parts that are false or NULL by the rows as they are in this snapshot, and by what signals said to the build;
    none for a document without condition."""
    if not document.servable:
        return []
    reader = _ValueReader(folder, snapshot, document, rows, readings)
    found = []
    for condition, demand in parts_of(parse(document.servable)):
        values = [reader.value(path) for path in condition.paths]
        outcome = condition.compile(reader.types(condition.paths))([value.value for value in values])
        if outcome is not True:
            found.append(Part(condition.text, demand, outcome, tuple(values)))
    return found


class _ValueReader:
    """Values at paths. A row's history is looked at only for values that are asked for."""

    def __init__(
        self, folder: DataFolder, snapshot: Snapshot, document: Document, rows: Sequence[ReadRow],
        readings: Mapping[str, SignalReading],
    ) -> None:  # fmt: skip
        self._folder, self._snapshot, self._document, self._rows = folder, snapshot, document, rows
        self._readings = readings
        self._columns: dict[tuple[str, bytes], Mapping[str, StoredColumn]] = {}

    def types(self, paths: Sequence[str]) -> dict[str, str]:
        resolved = {path: resolve(self._folder.flows, self._document.root, path).column for path in paths}
        return {path: column.type for path, column in resolved.items() if column is not None}

    def value(self, path: str) -> Value:
        place, _, column = path.rpartition(".")
        signal = resolve(self._folder.flows, self._document.root, path).signal
        if signal is not None:
            reading = self._readings.get(signal.name)
            values = dict(zip(signal.fields, reading.values or (), strict=False)) if reading is not None else {}
            return Value(path, f"signal {signal.name}", "", column, values.get(column), 0, "", exists=True)
        row = next((row for row in self._rows if row.path == place), None)
        if row is None or row.key is None or not row.exists:
            return Value(path, self._called(place, row), "", column, None, 0, "", exists=False)
        stored = self._stored(row.table, row.key).get(column)
        shown: Any = None if stored is None else stored.value
        changed_at, writer = (0, "") if stored is None else (stored.changed_at, stored.writer)
        called = self._called(place, row)
        return Value(path, called, row_text(row.table, row.key), column, shown, changed_at, writer, exists=True)

    def _stored(self, table: str, key: bytes) -> Mapping[str, StoredColumn]:
        known = self._columns.get((table, key))
        if known is None:
            found = read_row(self._snapshot, self._folder.schemas, self._folder.flows.tables[table], key)
            known = {column.name: column for column in found.columns} if found is not None else {}
            self._columns[table, key] = known
        return known

    def _called(self, place: str, row: ReadRow | None) -> str:
        """`campaign 381`, of the place ad_group.campaign; without the id where there is no row to it."""
        name = (place.rpartition(".")[2] if place else self._document.name).replace("_", " ")
        if row is None or row.key is None:
            return name
        return f"{name} {row_text('', row.key)[1:]}"
