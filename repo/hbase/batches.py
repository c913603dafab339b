"""Cuts what is asked in one call of the cell port into calls that the gateway takes, and whose answers it bears."""

from collections.abc import Callable, Collection, Iterator, Sequence

from repo.hbase.cells import Row

CALL_BYTES_MAX = 4 * 1024 * 1024
"""A call's rows, columns and values. One larger row goes alone; limits.py bounds it."""
CALL_ROWS_MAX = 500
"""More rows a call bring nothing, and what is read may be large."""
PART_ROWS_MIN = 100
"""With fewer rows a call, two calls side by side take longer than one (tests/benchmarks/cells.py)."""
ANSWER_ROWS_MAX = 1_000
_ANSWER_ROWS_AT_FIRST = 32


class AnswerSizes:
    """How many rows to ask for, so that an answer is about as large as a call may be, going by what was read before.
    The gateway puts an answer together in its memory, whatever it takes: 300 rows of 1 MB were its end. Safe for
    threads."""

    def __init__(self) -> None:
        self._row_bytes: dict[tuple[str, tuple[bytes, ...]], float] = {}

    def rows_at_first(self, table: str, columns: Sequence[bytes]) -> int:
        """So many are to be read alone, before the others; 0 once something is known."""
        return 0 if (table, tuple(columns)) in self._row_bytes else _ANSWER_ROWS_AT_FIRST

    def rows_max(self, table: str, columns: Sequence[bytes]) -> int:
        row_bytes = self._row_bytes.get((table, tuple(columns)), CALL_BYTES_MAX / _ANSWER_ROWS_AT_FIRST)
        return max(1, min(ANSWER_ROWS_MAX, int(CALL_BYTES_MAX / row_bytes)))

    def saw(self, table: str, columns: Sequence[bytes], rows: Collection[Row]) -> None:
        """An answer. Large rows are not forgotten at once when small ones come."""
        known = self._row_bytes.get((table, tuple(columns)))
        if rows:
            row_bytes = sum(len(cell.value) for row in rows for cell in row.values()) / len(rows)
            self._row_bytes[table, tuple(columns)] = max(row_bytes, (known or 0.0) / 2, 1.0)
        elif known is None:
            self._row_bytes[table, tuple(columns)] = CALL_BYTES_MAX / PART_ROWS_MIN


def cut(
    rows: Collection[bytes], size_of: Callable[[bytes], int], ways: int = 1, rows_max: int = CALL_ROWS_MAX
) -> Iterator[list[bytes]]:
    """The same rows in the same order. size_of: bytes of a row; ways: how many calls can be made side by side."""
    rows_max = min(rows_max, CALL_ROWS_MAX, max(PART_ROWS_MIN, -(-len(rows) // ways)))
    batch: list[bytes] = []
    size = 0
    for row in rows:
        row_bytes = size_of(row)
        if batch and (len(batch) == rows_max or size + row_bytes > CALL_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row_bytes
    if batch:
        yield batch
