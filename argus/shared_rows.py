"""Decoded rows and collections, kept from batch to batch when many documents read them.

A parent is read by all its documents. While a burst of edits goes through one table, the parents in other tables
stay what they are, and need neither a seek nor a decode. What is kept holds as long as nothing was committed to its
table (Reads.change_marks). What grows is bounded: a full cache is emptied.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from argus.footprints import footprints, of_nothing
from proto.flows.model import Collection as ChildRows
from repo.api import Reads, Version
from repo.keys import index_prefix
from repo.rows import GroupReader
from repo.system import collection_index

ROWS_MAX = 20_000


class Rows:
    """Rows of one table, as one place of a document reads them; `table` is where its change mark is asked for.

    After `read`: groups: for each group key -> values, all NULL for a row that is not there, and for None; footprints:
    key -> what is noted of the row; absent: keys of rows that are not there; parked: keys of rows of which a group's
    newest version could not be stored.
    """

    def __init__(self, table: str, readers: Mapping[str, GroupReader]) -> None:
        """readers: by group; the one that says whether the row is there comes first."""
        self.table, self._readers = table, list(readers.items())
        self._nulls: list[Sequence[Any]] = [(None,) * len(reader.schema.names) for reader in readers.values()]
        self._of_nothing = of_nothing(len(readers))
        self._forget(None)

    def read(self, snapshot: Reads, keys: Collection[bytes | None], mark: bytes | None, prefix: bytes) -> None:
        """Makes the rows with these keys known; the values are not to be changed by anybody. mark: None for rows that
        no other document reads, which are not kept. prefix: the encoded source of all keys; b"": of several."""
        if mark is None or mark != self._mark or len(self.footprints) > ROWS_MAX:
            self._forget(mark)
        known = self.footprints
        missing = [key for key in keys if key not in known and key is not None]
        if missing:
            self._load(snapshot, list(dict.fromkeys(missing)), prefix)

    def _load(self, snapshot: Reads, keys: Sequence[bytes], prefix: bytes) -> None:
        versions: list[list[int]] = []
        for number, (group, reader) in enumerate(self._readers):
            versions.append(self._take(number, reader, keys, snapshot.read(self.table, group, keys)))
        self.footprints.update(zip(keys, footprints(keys, versions, prefix), strict=True))

    def _take(
        self, number: int, reader: GroupReader, keys: Sequence[bytes], versions: Sequence[Version | None]
    ) -> list[int]:
        """Keeps what was read of one group; the commit timestamps, as argus.lineage.RowRead has them."""
        noted: list[int] = []
        values, nulls, absent, decides = self.groups[number], self._nulls[number], self.absent, number == 0
        for key, version, record in zip(keys, versions, reader.records(versions), strict=True):
            if record is None or record.values is None:
                values[key] = nulls
                noted.append(-version[0] if version else 0)
                if decides:
                    absent.add(key)
            else:  # of a row that is not there no group is seen: a handler's may outlive its source's
                values[key] = nulls if key in absent else record.values
                noted.append(version[0])  # type: ignore[index]
            if record is not None and record.parked:
                self.parked.add(key)
        return noted

    def _forget(self, mark: bytes | None) -> None:
        self._mark = mark
        self.groups: list[dict[bytes | None, Sequence[Any]]] = [{None: nulls} for nulls in self._nulls]
        self.footprints: dict[bytes | None, bytes] = {None: self._of_nothing}
        self.absent: set[bytes | None] = set()
        self.parked: set[bytes | None] = set()


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
