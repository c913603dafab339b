"""Materialise: several short reads become one unit, with the rows as they are at its position.

The log is read in ranges, each in a read transaction of its own, until a range ends where the log ends in that same
transaction. A row that was committed after its range was read is in the log again, so in a later range, and the later
reading wins. What is left is exactly the state at the end of the last range, although no read transaction was long.
"""

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from gateway.capture.port import CapturedTable, Poll
from proto.events import TableRows

Row = tuple[Any, ...]


class Materializer:
    """Collects the polls of one unit. Rows of one key: the last reading."""

    def __init__(self, tables: Mapping[str, CapturedTable]) -> None:
        self._tables = tables
        self._single: Poll | None = None
        self._rows: dict[str, dict[Any, Row | None]] = {}
        self._columns: dict[str, tuple[str, ...]] = {}

    def add(self, poll: Poll) -> None:
        """The next range. The first, when it is the only one, is passed through as it is."""
        if self._single is None and not self._rows:
            self._single = poll
            return
        if self._single is not None:
            self._merge(self._single)
            self._single = None
        self._merge(poll)

    def tables(self) -> list[TableRows]:
        """What was touched, by table; tables without anything are left out."""
        if self._single is not None:
            return [table for table in self._single.tables if table.rows or table.deleted]
        merged = []
        for name, found in self._rows.items():
            rows = [row for row in found.values() if row is not None]
            gone = [_as_tuple(key) for key, row in found.items() if row is None]
            merged.append(TableRows(name, self._columns[name], rows, gone))
        return merged

    def _merge(self, poll: Poll) -> None:
        for table in poll.tables:
            if not table.rows and not table.deleted:
                continue
            places = self._tables[table.table].key_places
            key_of: Callable[[Row], Any] = itemgetter(*places)
            found = self._rows.setdefault(table.table, {})
            self._columns[table.table] = table.columns
            found.update(zip(map(key_of, table.rows), table.rows, strict=True))
            found.update({key if len(places) > 1 else key[0]: None for key in table.deleted})


def cut(tables: list[TableRows], rows_max: int) -> Iterator[list[TableRows]]:
    """Parts of at most `rows_max` rows and deleted keys each; one part when it is not too large."""
    part, room = list[TableRows](), rows_max
    for table in tables:
        for rows, deleted in _pieces(table):
            while rows or deleted:
                part.append(TableRows(table.table, table.columns, rows[:room], deleted[:room]))
                taken = len(part[-1].rows) + len(part[-1].deleted)
                rows, deleted, room = rows[room:], deleted[room:], room - taken
                if room == 0:
                    yield part
                    part, room = [], rows_max
    if part:
        yield part


def _pieces(table: TableRows) -> Iterator[tuple[list[Row], list[Row]]]:
    yield table.rows, []
    yield [], table.deleted


def _as_tuple(key: Any) -> Row:
    return key if isinstance(key, tuple) else (key,)
