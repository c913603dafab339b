"""Cells whose rows begin with a prefix of their own: a world for each test, in tables that all tests share.

A table of HBase takes half a second to make. Whoever looks through this sees his rows only, without the prefix.
"""

from collections.abc import Mapping, Sequence

from proto.codec import successor
from repo.hbase.cells import Cells, Range, Row, Stored


class RowPrefixCells:
    """repo.hbase.cells.Cells on others."""

    def __init__(self, cells: Cells, prefix: bytes) -> None:
        self._cells, self._prefix = cells, prefix

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        self._cells.put(table, timestamp, {self._prefix + row: columns for row, columns in rows.items()})

    def put_soon(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        self._cells.put_soon(table, timestamp, {self._prefix + row: columns for row, columns in rows.items()})

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        found = self._cells.get(table, [self._prefix + row for row in rows], columns, before)
        return {self._without(row): cells for row, cells in found.items()}

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        return self._cells.versions(table, self._prefix + row, column, before, limit)

    def scan(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[tuple[bytes, Row]]:
        (found,) = self.scans(table, [Range(start, stop)], columns, before, limit)
        return found

    def scans(
        self, table: str, ranges: Sequence[Range], columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[list[tuple[bytes, Row]]]:
        end = successor(self._prefix)
        wanted = [Range(self._prefix + start, end if stop is None else self._prefix + stop) for start, stop in ranges]
        found = self._cells.scans(table, wanted, columns, before, limit)
        return [[(self._without(row), cells) for row, cells in page] for page in found]

    def delete(self, table: str, timestamp: int, rows: Mapping[bytes, Sequence[bytes]]) -> None:
        self._cells.delete(table, timestamp, {self._prefix + row: columns for row, columns in rows.items()})

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        return self._cells.check_and_put(table, self._prefix + row, column, expected, value)

    def regions(self, table: str) -> list[tuple[bytes, bytes | None]]:
        return [(b"", None)]

    def _without(self, row: bytes) -> bytes:
        return row[len(self._prefix) :]
