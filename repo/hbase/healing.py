"""Healing: shadow cells that their writer has lost are written by readers, later and in batches.

What waits with readers is bounded; what they lose costs the next one a look into the commit table, nothing else.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress

from repo.hbase.cells import Cells
from repo.hbase.shadow_cells import encode_shadow, shadow_column

_BATCH = 100
_WAITING_MAX = 10_000


class Healing:
    """Only for what oracle or commit table have told, without an invalid mark (F11). Safe for threads."""

    def __init__(self, cells: Cells, waiting_max: int | None = _WAITING_MAX) -> None:
        """waiting_max: of more the oldest are forgotten; None: of none, for whoever is about to sweep (F8)."""
        self._cells = cells
        self._waiting: deque[tuple[str, bytes, int, int, bytes]] = deque(maxlen=waiting_max)

    def add(self, table: str, column: bytes, rows: Iterable[bytes], id: int, commit_timestamp: int) -> None:
        """Of each row the version `id` of `column` is committed, and has no shadow cell."""
        self._waiting.extend((table, column, id, commit_timestamp, row) for row in rows)

    def flush_when_many(self) -> None:
        """To be called when a read is done. It does not fail: what is lost somebody else will meet."""
        if len(self._waiting) >= _BATCH:
            for table, id, rows in self._calls():
                self._cells.put_soon(table, id, rows)

    def flush(self) -> None:
        """Writes all that wait, and returns when they are stored. Raises UnavailableError."""
        for table, id, rows in self._calls():
            self._cells.put(table, id, rows)

    def _calls(self) -> Iterator[tuple[str, int, dict[bytes, dict[bytes, bytes]]]]:
        """All that wait: one for each table and id."""
        calls: dict[tuple[str, int], dict[bytes, dict[bytes, bytes]]] = {}
        with suppress(IndexError):  # until it is empty; others take from it, too
            while True:
                table, column, id, commit_timestamp, row = self._waiting.popleft()
                values = calls.setdefault((table, id), {}).setdefault(row, {})
                values[shadow_column(column)] = encode_shadow(commit_timestamp)
        return ((table, id, rows) for (table, id), rows in calls.items())
