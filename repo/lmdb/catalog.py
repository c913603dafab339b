"""Tables and groups that the environment knows: their numbers, allocated once and kept."""

from collections.abc import Callable, Iterator, Sequence

import lmdb
import msgspec

from proto.errors import SettingsError
from repo.api import Keep, TableSpec
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.layout import Layout, mark_key
from repo.lmdb.store import META

_PREFIX = b"table/"
_GROUPS_MAX = 250  # 0xff ends a row


class _Group(msgspec.Struct, array_like=True):
    id: int
    keep: Keep
    large: bool


class _Table(msgspec.Struct, array_like=True):
    id: int
    groups: dict[str, _Group]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Table).decode


class Catalog:
    """What is stored wins: a group keeps its number and whether its values lie apart. Safe for threads and processes.

    layouts: (table, group) -> Layout; raises SettingsError for a group that nobody has declared.
    """

    def __init__(self, environment: LmdbEnvironment) -> None:
        self._environment = environment
        self._tables: dict[str, _Table] = {}
        self._mark_keys: dict[tuple[str, ...], list[bytes]] = {}
        self.layouts = _Layouts(self._load)
        self._large: set[tuple[bytes, bytes]] = set()
        self._load()

    def declare(self, specs: Sequence[TableSpec]) -> None:
        """See Repo.declare. Not inside a group: numbers that an aborted group gave out would be used twice."""
        if self._environment.inside_group():
            raise SettingsError("tables are declared before the first group, not inside one")
        if all(self._is_known(spec) for spec in specs):
            return
        with self._environment.write() as transaction:
            stored = self._read(transaction)
            for spec in specs:
                if _admit(stored, spec):
                    key = _PREFIX + spec.name.encode()
                    transaction.put(key, _encode(stored[spec.name]), db=self._environment.databases[META])
        self._load()

    def mark_keys(self, tables: tuple[str, ...]) -> list[bytes]:
        """Where the change marks of these tables are; remembered, because the same are asked for again and again."""
        known = self._mark_keys.get(tables)
        if known is None:
            known = self._mark_keys[tables] = [mark_key(self.table_id(table)) for table in tables]
        return known

    def table_id(self, table: str) -> bytes:
        """Raises SettingsError for a table that nobody has declared."""
        known = self._tables.get(table)
        if known is None:
            self._load()
            known = self._tables.get(table)
        if known is None:
            raise SettingsError(f"there is no table {table!r}; declare it first")
        return known.id.to_bytes(2, "big")

    def is_large(self, table_id: bytes, group_id: bytes) -> bool:
        """Whether values of this group begin with INLINE or APART."""
        return (table_id, group_id) in self._large

    def specs(self) -> Iterator[TableSpec]:
        """All that is stored, by name."""
        self._load()
        for name, table in sorted(self._tables.items()):
            groups = {group: stored.keep for group, stored in table.groups.items()}
            yield TableSpec(name, groups, frozenset(group for group, stored in table.groups.items() if stored.large))

    def _is_known(self, spec: TableSpec) -> bool:
        layouts = self.layouts
        return all(
            (known := layouts.get((spec.name, group))) is not None and known.keep is keep
            for group, keep in spec.groups.items()
        )

    def _load(self) -> None:
        with self._environment.read() as transaction:
            tables = self._read(transaction)
        for name, table in tables.items():
            for group, stored in table.groups.items():
                layout = Layout(table.id.to_bytes(2, "big"), bytes([stored.id]), stored.keep, stored.large)
                self.layouts[name, group] = layout
                if stored.large:
                    self._large.add((layout.table_id, layout.group_id))
        self._tables = tables

    def _read(self, transaction: "lmdb.Transaction[bytes]") -> dict[str, _Table]:
        found: dict[str, _Table] = {}
        with transaction.cursor(self._environment.databases[META]) as cursor:
            more = cursor.set_range(_PREFIX)
            while more and cursor.key().startswith(_PREFIX):
                found[cursor.key()[len(_PREFIX) :].decode()] = _decode(cursor.value())
                more = cursor.next()
        return found


class _Layouts(dict[tuple[str, str], Layout]):
    """A plain dict on the hot path; looks into the store for what is missing: another process may have declared it."""

    def __init__(self, load: Callable[[], None]) -> None:
        super().__init__()
        self._load = load

    def __missing__(self, name: tuple[str, str]) -> Layout:
        self._load()
        found = self.get(name)
        if found is None:
            raise SettingsError(f"table {name[0]!r} has no group {name[1]!r}; declare it first")
        return found


def _admit(tables: dict[str, _Table], spec: TableSpec) -> bool:
    """Adds what is new in `spec`; True when something was."""
    table = tables.get(spec.name)
    if table is None:
        table = tables[spec.name] = _Table(1 + max((known.id for known in tables.values()), default=0), {})
    before = len(table.groups)
    for group, keep in spec.groups.items():
        known = table.groups.get(group)
        if known is not None and known.keep is not keep:
            raise SettingsError(
                f"group {group!r} of table {spec.name!r} is stored as {known.keep.value!r} and now declared "
                f"as {keep.value!r}; give it another name, or rebuild the data"
            )
        if known is None:
            if len(table.groups) >= _GROUPS_MAX:
                raise SettingsError(f"table {spec.name!r} would have more than {_GROUPS_MAX} groups")
            table.groups[group] = _Group(len(table.groups) + 1, keep, group in spec.large)
    return len(table.groups) > before or before == 0
