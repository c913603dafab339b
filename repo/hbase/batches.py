"""Cuts what is asked in one call of the cell port into calls that the gateway takes."""

from collections.abc import Callable, Collection, Iterator

CALL_BYTES_MAX = 4 * 1024 * 1024
"""A call's rows, columns and values. One larger row goes alone; limits.py bounds it."""
CALL_ROWS_MAX = 500
"""More rows a call bring nothing, and what is read may be large."""
PART_ROWS_MIN = 100
"""With fewer rows a call, two calls side by side take longer than one (tests/benchmarks/cells.py)."""


def cut(rows: Collection[bytes], size_of: Callable[[bytes], int], ways: int = 1) -> Iterator[list[bytes]]:
    """The same rows in the same order. size_of: bytes of a row; ways: how many calls can be made side by side."""
    rows_max = min(CALL_ROWS_MAX, max(PART_ROWS_MIN, -(-len(rows) // ways)))
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
