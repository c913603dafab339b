"""The collector's way along all cells of all tables, a slice at a time, and round again.

A table that can't be walked (disabled, gone, without a family, with a cell that can't be read) holds up no other: the
first time the walk waits there, in case it passes; when it fails again, it goes on behind that table, and says so, for
then the walk has not been everywhere, and must not count for the sweep (F8).
"""

from typing import NamedTuple

from proto.errors import AdsIndexError
from repo.hbase.catalog import Catalog, Layout
from repo.hbase.cells import Cells
from repo.hbase.deletions import Deletions
from repo.hbase.ladder import columns_of
from repo.hbase.messages import Messages

Position = tuple[str, str, bytes]
"""Table, group, and the last row that is done."""

START: Position = ("", "", b"")
_ROWS_A_PAGE = 1_000


class Walked(NamedTuple):
    """position: where to go on, START behind the last table. removed: how many versions. failure: why it stopped before
    it was through with its slice; passed_over: whether it has left out the rest of a table."""

    position: Position
    removed: int
    failure: AdsIndexError | None = None
    passed_over: bool = False


class Walk:
    """Of one process, for one thread."""

    def __init__(self, cells: Cells, catalog: Catalog, deletions: Deletions, messages: Messages) -> None:
        self._cells, self._catalog = cells, catalog
        self._deletions, self._messages = deletions, messages
        self._failing = set[str]()  # tables at which it has failed since it was last through with a page of them

    def run(self, position: Position, watermark: int, settled: int, limit: int) -> Walked:
        """Looks at about `limit` versions, from `position` on. settled: see Deletions.run."""
        left, removed, seen = limit, 0, ""
        for table, group, layout in self._catalog.layouts():
            has_messages, seen = table != seen, table  # the first group goes along with them
            if (table, group) < position[:2]:
                continue
            if (table, group) > position[:2]:
                position = (table, group, b"")
            ended = False
            while not ended:
                if left <= 0:
                    return Walked(position, removed)
                try:
                    row, looked, gone, ended = self._page(
                        table, layout, position[2], watermark, settled, left, has_messages
                    )
                except AdsIndexError as error:
                    return self._failed(position, removed, error)
                self._failing.discard(table)
                position = (table, group, row)
                left, removed = left - looked, removed + gone
        return Walked(START, removed)

    def _page(
        self, table: str, layout: Layout, after: bytes, watermark: int, settled: int, left: int, has_messages: bool
    ) -> tuple[bytes, int, int, bool]:
        """The last row that is done, at how many versions it has looked, how many it has removed, and whether that was
        the end of the column."""
        asked = min(left, _ROWS_A_PAGE)
        start = after + b"\0" if after else b""
        page = self._cells.scan(layout.table, start, None, columns_of(layout.column), None, asked)
        done = self._deletions.run(table, layout, page, watermark, settled, left)
        ended = len(page) < asked and (not page or done.last == page[-1][0])
        if not has_messages:
            return done.last or after, done.looked, done.removed, ended
        told = self._messages.remove(layout.table, after, None if ended else done.last, settled, asked)
        looked, removed = max(done.looked, told.rows), done.removed + told.messages
        if told.upto:  # many rows have messages and nothing in this column: the walk goes on behind those that are done
            return told.upto, looked, removed, False
        return done.last or after, looked, removed, ended

    def _failed(self, position: Position, removed: int, error: AdsIndexError) -> Walked:
        table = position[0]
        told = f"garbage of table {table!r} can't be collected: {error}"
        if table not in self._failing:
            self._failing.add(table)
            return Walked(position, removed, type(error)(told))
        told += ". Other tables' is; but no commit-table row goes until this table can be read"
        return Walked(self._behind(table), removed, type(error)(told), passed_over=True)

    def _behind(self, table: str) -> Position:
        behind = (place for place in self._catalog.layouts() if place[0] > table)
        return next(((name, group, b"") for name, group, _ in behind), START)
