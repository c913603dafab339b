"""Tables and groups that the Repo knows: a row each, changed by compare-and-set; and their tables in HBase."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from proto.errors import CorruptionError, SettingsError, UnavailableError
from repo.api import Keep, TableSpec
from repo.hbase.cells import Cells, Family, Tables
from repo.hbase.names import DATA_FAMILIES, TableNames, column_of
from repo.hbase.shadow_cells import shadow_column

FAMILIES = {"s": Family(1)}
_COLUMN = b"s:spec"
_ATTEMPTS = 100
_TABLES_MAX = 100_000


class _Stored(msgspec.Struct, array_like=True):
    """large: names of groups with large values."""

    groups: dict[str, Keep]
    large: tuple[str, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


class Layout(NamedTuple):
    """Where a group lies. table: its name in HBase; column: of its data cells."""

    table: str
    column: bytes
    keep: Keep


class Catalog:
    """What is stored wins: a group keeps its kind. Several processes may declare at once; safe for threads as far as
    `cells` is."""

    def __init__(self, cells: Cells, tables: Tables, names: TableNames) -> None:
        self._cells, self._tables, self._names = cells, tables, names
        self._layouts: dict[tuple[str, str], Layout] = {}

    def declare(self, specs: Sequence[TableSpec]) -> None:
        """See Repo.declare. Makes the tables in HBase, too; raises SettingsError for one with other settings."""
        for spec in specs:
            for group in spec.groups:
                shadow_column(column_of(group))  # raises SettingsError for a name that can't be
        self._tables.require({self._names.data(spec.name): DATA_FAMILIES for spec in specs})
        for spec in specs:
            self._declare(spec)
        self._load()

    def layout(self, table: str, group: str) -> Layout:
        """Raises SettingsError for what nobody has declared."""
        known = self._layouts.get((table, group))
        if known is None:
            self._load()  # another process may have declared it
            known = self._layouts.get((table, group))
        if known is None:
            raise SettingsError(f"table {table!r} has no group {group!r}; declare it first")
        return known

    def groups(self, table: str) -> list[str]:
        """Raises SettingsError for a table that nobody has declared."""
        found = self._groups(table)
        if not found:
            self._load()
            found = self._groups(table)
        if not found:
            raise SettingsError(f"there is no table {table!r}; declare it first")
        return found

    def specs(self) -> Iterator[TableSpec]:
        """All that are stored, by name."""
        for name, stored in self._rows():
            yield TableSpec(name, dict(stored.groups), frozenset(stored.large))

    def layouts(self) -> list[tuple[str, str, Layout]]:
        """Table, group and where it lies, of all, in order."""
        self._load()
        return [(*name, self._layouts[name]) for name in sorted(self._layouts)]

    def _groups(self, table: str) -> list[str]:
        return [group for name, group in list(self._layouts) if name == table]  # a copy: other threads add to it

    def _declare(self, spec: TableSpec) -> None:
        row = spec.name.encode()
        for _ in range(_ATTEMPTS):
            found = self._cells.get(self._names.catalog, [row], [_COLUMN]).get(row)
            old = None if found is None else found[_COLUMN].value
            new = _encode(_joined(spec, _Stored({}) if old is None else _stored(old)))
            if new == old:
                return
            try:
                self._cells.check_and_put(self._names.catalog, row, _COLUMN, old, new)
            except UnavailableError:
                pass  # looking again tells; joining is idempotent
        raise UnavailableError(f"the spec of table {spec.name!r} could not be stored; try again later")

    def _load(self) -> None:
        for name, stored in self._rows():
            table = self._names.data(name)
            for group, keep in stored.groups.items():
                self._layouts[name, group] = Layout(table, column_of(group), keep)

    def _rows(self) -> Iterator[tuple[str, _Stored]]:
        for row, columns in self._cells.scan(self._names.catalog, b"", None, [_COLUMN], None, _TABLES_MAX):
            yield row.decode(), _stored(columns[_COLUMN].value)


def _joined(spec: TableSpec, known: _Stored) -> _Stored:
    """What is stored, with what is new in `spec`."""
    for group, keep in spec.groups.items():
        stored = known.groups.get(group, keep)
        if stored is not keep:
            raise SettingsError(
                f"group {group!r} of table {spec.name!r} is stored as {stored.value!r} and now declared "
                f"as {keep.value!r}; give it another name, or rebuild the data"
            )
    return _Stored({**known.groups, **spec.groups}, tuple(sorted({*known.large, *spec.large})))


def _stored(value: bytes) -> _Stored:
    try:
        return _decode(value)
    except msgspec.DecodeError as error:
        raise CorruptionError(f"the spec of a table can't be read: {error}") from error
