"""Scans of many ranges in a few calls: neighbours together, the others side by side.

Ranges that lie close to each other (the children of documents one after another) come with one scan over all of them,
whatever lies between. As soon as a page of it brings less than scans of their own would have, each range that is left
gets one: so at most one page is read for nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from repo.hbase.catalog import Layout
from repo.hbase.cells import Cells, Range, Row
from repo.hbase.ladder import Committed, columns_of

Found = list[tuple[bytes, Committed]]
"""Rows in key order."""

_PAGE_MIN, _PAGE_MAX = 16, 1_000
_ROWS_A_SCAN = 32
"""A scan of its own is three calls of the gateway: in that time so many rows could be read by another one."""


class RangeScan:
    """Of one column at one snapshot. before: the bound of its reads; visible: which of these rows have a visible
    version."""

    def __init__(
        self,
        cells: Cells,
        layout: Layout,
        before: int | None,
        visible: Callable[[dict[bytes, Row]], Mapping[bytes, Committed]],
    ) -> None:
        self._cells, self._table, self._before, self._visible = cells, layout.table, before, visible
        self._columns = columns_of(layout.column)

    def one(self, range: Range, limit: int) -> Found:
        """The first `limit` rows with a visible version that is no tombstone."""
        return self._apart([range], limit)[range]

    def many(self, ranges: Iterable[Range], limit: int) -> dict[Range, Found]:
        """As `one`, of each. They may overlap."""
        rest, found = sorted(set(ranges), key=lambda range: range.start), dict[Range, Found]()
        while len(rest) > 1:
            page, end = self._together(rest)
            live = self._live(page)
            done = [range for range in rest if end is None or (range.stop is not None and range.stop <= end)]
            found.update((range, [row for row in live if _holds(range, row[0])][:limit]) for range in done)
            rest = [range for range in rest if range not in found]
            if len(done) * _ROWS_A_SCAN < len(page):
                break
        return found | self._apart(rest, limit)

    def _together(self, ranges: Sequence[Range]) -> tuple[list[tuple[bytes, Row]], bytes | None]:
        """The first rows of them all, and where that ends; None: nowhere before they end."""
        asked = min(_ROWS_A_SCAN * len(ranges), _PAGE_MAX)
        stops = [range.stop for range in ranges if range.stop is not None]
        stop = max(stops) if len(stops) == len(ranges) else None
        page = self._cells.scan(self._table, ranges[0].start, stop, self._columns, self._before, asked)
        return page, page[-1][0] + b"\0" if len(page) == asked else None

    def _apart(self, ranges: Sequence[Range], limit: int) -> dict[Range, Found]:
        """A scan for each, side by side, and again for those of which too little was visible."""
        found: dict[Range, Found] = {range: [] for range in ranges}
        rest, asked = list(ranges), min(max(limit, _PAGE_MIN), _PAGE_MAX)
        starts = {range: range.start for range in ranges}
        while rest:
            wanted = [range._replace(start=starts[range]) for range in rest]
            pages = self._cells.scans(self._table, wanted, self._columns, self._before, asked)
            live = dict(self._live([row for page in pages for row in page]))
            more: list[Range] = []
            for range, page in zip(rest, pages, strict=True):
                found[range] += [(row, live[row]) for row, _ in page if row in live]
                if len(page) == asked and len(found[range]) < limit:
                    starts[range] = page[-1][0] + b"\0"
                    more.append(range)
            rest, asked = more, _PAGE_MAX
        return {range: rows[:limit] for range, rows in found.items()}

    def _live(self, page: Sequence[tuple[bytes, Row]]) -> Found:
        visible = self._visible(dict(page))
        return [(row, visible[row]) for row, _ in page if row in visible and visible[row].value]


def _holds(range: Range, row: bytes) -> bool:
    return range.start <= row and (range.stop is None or row < range.stop)
