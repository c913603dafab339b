"""Decoded rows that many documents read: kept from batch to batch, as long as nothing was committed to their table.

A parent is read by all its documents. While a burst of edits goes through one table, the parents in other tables
stay what they are, and need neither a seek nor a decode. What grows is bounded: a full cache is emptied.
"""

from collections.abc import Sequence

from proto.record import Record
from repo.api import Reads
from repo.rows import GroupReader

ROWS_MAX = 20_000


class Rows:
    """Reads one group of one table. shared: its rows are read by several documents, so they are kept."""

    def __init__(self, table: str, group: str, reader: GroupReader, shared: bool) -> None:
        self._table, self._group, self._reader, self._shared = table, group, reader, shared
        self._known: dict[bytes, Record | None] = {}
        self._mark = b""

    def read(self, snapshot: Reads, keys: Sequence[bytes]) -> list[Record | None]:
        """In the order of `keys`, which don't repeat. None: no such row. The records are not to be changed."""
        if not keys:
            return []
        if not self._shared:
            return self._reader.records(snapshot.read(self._table, self._group, keys))
        mark = snapshot.change_mark(self._table)
        known = self._known
        if mark != self._mark or len(known) > ROWS_MAX:
            known.clear()
            self._mark = mark
        missing = [key for key in keys if key not in known]
        if missing:
            versions = snapshot.read(self._table, self._group, missing)
            known.update(zip(missing, self._reader.records(versions), strict=True))
        return [known[key] for key in keys]
