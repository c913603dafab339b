"""The one snapshot that both versions of the code read: answers are the same for both, and nothing can be written."""

from collections.abc import Sequence

from repo.api import Keep, Snapshot, TableSpec, Version
from repo.rows import SchemaNames

Entries = list[tuple[bytes, bytes]]
_PAGES_KEPT_MAX = 200_000


class World:
    """repo.api.Reads and SchemaNames. What a version of the code asks for and the Repo does not hold is not there."""

    def __init__(self, snapshot: Snapshot, tables: Sequence[TableSpec], schemas: SchemaNames) -> None:
        self._snapshot, self._schemas = snapshot, schemas
        self._groups = {(table.name, group): keep for table in tables for group, keep in table.groups.items()}
        self._newest: dict[tuple[str, str, bytes], Version | None] = {}
        self._pages: dict[tuple[str, bytes, int, bytes], Entries] = {}

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        if (table, group) not in self._groups:
            return [None] * len(keys)
        versions = self._snapshot.read(table, group, keys)
        if self._groups[table, group] is Keep.NEWEST:  # it has no older versions: what was read first is what is read
            known = self._newest
            return [known.setdefault((table, group, key), one) for key, one in zip(keys, versions, strict=True)]
        return versions

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        return [b"one"] * len(tables)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[Entries]:
        """Index entries have no versions: what was found first is what everybody gets."""
        if (table, "") not in self._groups:
            return [[] for _ in prefixes]
        wanted = [prefix for prefix in prefixes if (table, prefix, limit_each, after) not in self._pages]
        if len(self._pages) + len(wanted) > _PAGES_KEPT_MAX:
            self._pages.clear()
            wanted = list(prefixes)
        found = self._snapshot.scan_prefixes(table, wanted, limit_each, after) if wanted else []
        self._pages.update(
            {(table, prefix, limit_each, after): page for prefix, page in zip(wanted, found, strict=True)}
        )
        return [self._pages[table, prefix, limit_each, after] for prefix in prefixes]

    def names(self, schema_id: int) -> tuple[str, ...]:
        return self._schemas.names(schema_id)
