"""Messages (family `n`) that are no longer needed: those of ids below the watermark by so much that all is settled.

They are read from the write-ahead log only; what lies in the table is its copy. No setting of the family lets it go by
itself: a time to live counts from a cell's version, which is no time of HBase's, and VERSIONS counts those of one
column, so that a row which is never written again would keep its messages for ever.
"""

from typing import NamedTuple

from repo.hbase.cells import Cells
from repo.hbase.names import NOTIFICATIONS


class Removed(NamedTuple):
    """rows: that had any; messages: columns that went; upto: the row behind which there may be more, b"" for none."""

    rows: int
    messages: int
    upto: bytes


class Messages:
    """Of all rows, whether there is anything else in them or not."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def remove(self, table: str, after: bytes, last: bytes | None, before: int, rows_max: int) -> Removed:
        """Those with an id < `before`, in rows with after < row <= last (None: to the end), of `rows_max` rows at
        most."""
        if before <= 1:
            return Removed(0, 0, b"")
        start, stop = after + b"\0" if after else b"", None if last is None else last + b"\0"
        page = self._cells.scan(table, start, stop, (NOTIFICATIONS,), before, rows_max)
        if page:
            self._cells.delete(table, before - 1, {row: list(columns) for row, columns in page})
        upto = page[-1][0] if len(page) == rows_max else b""
        return Removed(len(page), sum(len(columns) for _, columns in page), upto)
