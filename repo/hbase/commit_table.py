"""Omid's commit table: its rows, how readers look ids up in it, what the oracle puts into it, and how it is swept."""

from collections.abc import Sequence
from struct import Struct

from proto.errors import CorruptionError
from repo.hbase.cells import Cells, Family, Row
from repo.oracle.port import TIMESTAMP_STEP
from repo.oracle.storage import Batch

FAMILIES = {"F": Family(1), "LWF": Family(1)}
COMMIT = b"F:C"
INVALID = b"F:IT"
"""Put by Omid's clients only, for an id that they have declared dead. It beats COMMIT."""

BUCKETS = 16
"""Values of a row's first byte."""
IDS_A_CALL = 1_000
_ROW = Struct(">Bq")
_MASK = (1 << 64) - 1


def row_of(id: int) -> bytes:
    """One byte (id & 0x0F), which spreads the rows, then the id as 8 bytes big-endian."""
    return _ROW.pack(id & 0x0F, id)


def id_of(row: bytes) -> int:
    """The inverse of `row_of`. Raises CorruptionError."""
    if len(row) != _ROW.size:
        raise CorruptionError(f"the commit table has a row {row!r}, which is no id")
    return int.from_bytes(row[1:], "big", signed=True)


def encode_commit(id: int, commit_timestamp: int) -> bytes:
    """The value of COMMIT: commit - id as a varint (protobuf's int64; ten bytes when negative)."""
    rest, encoded = (commit_timestamp - id) & _MASK, bytearray()
    while rest > 0x7F:
        encoded.append(0x80 | rest & 0x7F)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def decode_commit(id: int, value: bytes) -> int:
    """The commit timestamp. Raises CorruptionError."""
    if not 0 < len(value) <= 10 or value[-1] > 0x7F or any(byte < 0x80 for byte in value[:-1]):
        raise CorruptionError(f"the commit table holds {value.hex()} for the id {id}, which is no varint")
    difference = sum((byte & 0x7F) << 7 * at for at, byte in enumerate(value)) & _MASK
    return id + difference - (1 << 64 if difference >> 63 else 0)


class CommitTableReader:
    """Looks many ids up at once."""

    def __init__(self, cells: Cells, table: str) -> None:
        self._cells, self._table = cells, table

    def look_up(self, ids: Sequence[int]) -> dict[int, int]:
        """Commit timestamps of those that are committed: COMMIT without INVALID in one and the same row get (F11).

        ids: versions of data cells. A transaction of Omid's, which is known by its start timestamp, has further ones
        after its checkpoints, up to the next multiple of TIMESTAMP_STEP.
        """
        found: dict[int, int] = {}
        for first in range(0, len(ids), IDS_A_CALL):
            begins = {id: id - id % TIMESTAMP_STEP for id in ids[first : first + IDS_A_CALL]}
            wanted = list(dict.fromkeys(map(row_of, begins.values())))
            rows = self._cells.get(self._table, wanted, (COMMIT, INVALID))
            for id, begin in begins.items():
                if timestamp := _committed(begin, rows.get(row_of(begin), {})):
                    found[id] = timestamp
        return found


class CommitTable(CommitTableReader):
    """repo.oracle.storage.CommitTable. Only the oracle puts, and only what its state chain holds; only the sweep
    removes."""

    def put(self, batch: Batch) -> None:
        """One call has one version for all rows: the lowest id. So who deletes a row at its id, as Omid's clients do,
        removes it."""
        rows = {row_of(id): {COMMIT: encode_commit(id, timestamp)} for id, timestamp in batch}
        self._cells.put(self._table, min(id for id, _ in batch), rows)

    def scan(self, bucket: int, after: int, before: int, limit: int) -> list[tuple[int, int]]:
        """(id, commit timestamp) of the first `limit` rows of a bucket with after < id < before, in order. Invalid ones
        have the commit timestamp 0."""
        start, stop = _ROW.pack(bucket, after + 1), _ROW.pack(bucket, before)
        found = self._cells.scan(self._table, start, stop, (COMMIT, INVALID), None, limit)
        return [(id_of(row), _committed(id_of(row), columns)) for row, columns in found]

    def remove(self, ids: Sequence[int]) -> None:
        """Once everything that these ids wrote has its shadow cell, and the sweep horizon is above them (F8)."""
        if ids:
            self._cells.delete(self._table, max(ids), {row_of(id): (COMMIT, INVALID) for id in ids})


def _committed(id: int, columns: Row) -> int:
    """0: it is not."""
    stored = columns.get(COMMIT)
    return decode_commit(id, stored.value) if stored is not None and INVALID not in columns else 0
