"""Messages (family `n`) that are no longer needed: those of ids below the watermark by so much that all is settled.

They are read from the write-ahead log only; what lies in the table is its copy. No setting of the family lets it go by
itself: a time to live counts from a cell's version, which is no time of HBase's, and VERSIONS counts those of one
column, so that a row which is never written again would keep its messages for ever.
"""

from repo.hbase.cells import Cells
from repo.hbase.names import NOTIFICATIONS

_ROWS_A_PAGE = 1_000


class Messages:
    """Of all rows, whether there is anything else in them or not."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def remove(self, table: str, after: bytes, last: bytes | None, before: int) -> int:
        """Those with an id < `before`, in rows with after < row <= last (None: to the end). Returns how many columns
        went."""
        if before <= 1:
            return 0
        start, stop = after + b"\0" if after else b"", None if last is None else last + b"\0"
        removed = 0
        while True:
            page = self._cells.scan(table, start, stop, (NOTIFICATIONS,), before, _ROWS_A_PAGE)
            if page:
                self._cells.delete(table, before - 1, {row: list(columns) for row, columns in page})
            removed += sum(len(columns) for _, columns in page)
            if len(page) < _ROWS_A_PAGE:
                return removed
            start = page[-1][0] + b"\0"
