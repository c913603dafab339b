"""Looks into a source without changing anything: is a row there, how far is its change log, what stands at its end?"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.capture.sqlite.file import SqliteFile
from gateway.capture.sqlite.schema import quoted
from gateway.capture.sqlite.triggers import CHANGES

_BUSY_MS = 1_000


class Entry(NamedTuple):
    """A key that the change log names. table: as in the flows file; key: raw values, padded with NULL."""

    table: str
    key: tuple[Any, ...]


class SqliteLookup:
    """Raises UnavailableError when the file is locked or away, SettingsError when a table or column is not there."""

    def __init__(self, url: str) -> None:
        self._file = SqliteFile(url, _BUSY_MS)

    def has(self, source_table: str, key: Sequence[str], values: Sequence[Any]) -> bool:
        """Whether the row is there. key: names of the key columns."""
        same = " AND ".join(f"{quoted(name)} IS ?" for name in key)
        with self._file.reading():
            return bool(self._file.all(f"SELECT 1 FROM main.{quoted(source_table)} WHERE {same} LIMIT 1", values))

    def values(self, source_table: str, columns: Sequence[str], key: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """These columns of the row with that key (name -> raw value); None when it is not there."""
        same = " AND ".join(f"{quoted(name)} IS ?" for name in key)
        wanted = ", ".join(map(quoted, columns))
        with self._file.reading():
            found = self._file.all(
                f"SELECT {wanted} FROM main.{quoted(source_table)} WHERE {same} LIMIT 1", tuple(key.values())
            )
        return found[0] if found else None

    def newest(self) -> int | None:
        """The end of the change log; None when the source is not attached."""
        with self._file.reading():
            if not self._file.all("SELECT 1 FROM main.sqlite_master WHERE name = ?", (CHANGES,)):
                return None
            position: int = self._file.one(f"SELECT coalesce(max(sequence), 0) FROM {CHANGES}")[0]
            return position

    def entries(self, after: int, limit: int) -> list[Entry]:
        """Distinct keys in the first `limit` entries above `after`."""
        with self._file.reading():
            columns = [str(row[1]) for row in self._file.all(f"PRAGMA main.table_info({CHANGES})")]
            keys = ", ".join(quoted(name) for name in columns if name not in ("sequence", "name", "at_ms"))
            first = f"SELECT * FROM {CHANGES} WHERE sequence > ? ORDER BY sequence LIMIT ?"
            found = self._file.all(f"SELECT DISTINCT name, {keys} FROM ({first})", (after, limit))
        return [Entry(name, tuple(key)) for name, *key in found]

    def close(self) -> None:
        self._file.close()
