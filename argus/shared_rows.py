"""Decoded rows and collections, kept from batch to batch when many documents read them.

A parent is read by all its documents. While a burst of edits goes through one table, the parents in other tables
stay what they are, and need neither a seek nor a decode. What is kept holds as long as nothing was committed to its
table (Reads.change_marks). What grows is bounded: a full cache is emptied.
"""

from collections.abc import Collection, Sequence
from typing import Any

from proto.flows.model import Collection as ChildRows
from repo.api import Reads
from repo.keys import index_prefix
from repo.rows import GroupReader
from repo.system import collection_index

ROWS_MAX = 20_000


class Rows:
    """Rows of one group of one table; `table` is where its change mark is asked for.

    After `read`: values: key -> values, all NULL for a row that is not there, and for None; versions: key -> commit
    timestamp of the version that was read (argus.lineage.RowRead); absent: keys of rows that are not there; parked:
    keys of rows whose newest version could not be stored.
    """

    def __init__(self, table: str, group: str, reader: GroupReader) -> None:
        self.table, self._group, self._reader = table, group, reader
        self.nulls: Sequence[Any] = (None,) * len(reader.schema.names)
        self.values: dict[bytes | None, Sequence[Any]] = {}
        self.versions: dict[bytes | None, int] = {}
        self.absent: set[bytes | None] = set()
        self.parked: set[bytes | None] = set()
        self._mark: bytes | None = None

    def read(self, snapshot: Reads, keys: Collection[bytes | None], mark: bytes | None) -> None:
        """Makes the rows with these keys known; the values are not to be changed by anybody. mark: None for rows that
        no other document reads, which are not kept."""
        if mark is None or mark != self._mark or len(self.values) > ROWS_MAX:
            self.values, self.absent, self.parked, self._mark = {None: self.nulls}, set(), set(), mark
            self.versions = {}
        missing = [key for key in dict.fromkeys(keys) if key not in self.values and key is not None]
        if not missing:
            return
        versions = snapshot.read(self.table, self._group, missing)
        values, nulls, found = self.values, self.nulls, self.versions
        for key, version, record in zip(missing, versions, self._reader.records(versions), strict=True):
            if record is None or record.values is None:
                values[key] = nulls
                self.absent.add(key)
                found[key] = -version[0] if version else 0
            else:
                values[key] = record.values
                found[key] = version[0]  # type: ignore[index]
            if record is not None and record.parked:
                self.parked.add(key)


class Children:
    """Keys of the rows of one collection; `table` is its index, where its change mark is asked for."""

    def __init__(self, collection: ChildRows) -> None:
        self.table, self._limit = collection_index(collection), collection.limit
        self._known: dict[bytes | None, list[bytes]] = {}
        self._mark: bytes | None = None

    def read(self, snapshot: Reads, parents: Sequence[bytes | None], mark: bytes | None) -> list[list[bytes]]:
        """In the order of `parents`; nothing for None. At most one storage call. mark: as for Rows."""
        known = self._known
        if mark is None or mark != self._mark or len(known) > ROWS_MAX:
            known = self._known = {None: []}
            self._mark = mark
        missing = [key for key in dict.fromkeys(parents) if key not in known and key is not None]
        if missing:
            pages = snapshot.scan_prefixes(self.table, list(map(index_prefix, missing)), self._limit)
            for parent, entries in zip(missing, pages, strict=True):
                known[parent] = [child for _, child in entries]
        return [known[key] for key in parents]
