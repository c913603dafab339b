"""Cuts what is asked in one call of the cell port into calls that the gateway takes."""

from collections.abc import Iterator, Mapping, Sequence

PUT_BYTES_MAX = 4 * 1024 * 1024
"""A call's rows, columns and values. One larger row goes alone; limits.py bounds it."""
GET_ROWS_MAX = 500
"""More rows a call bring nothing, and their values may be large."""
GET_BYTES_MAX = 1024 * 1024
"""A call's row keys."""


def put_batches(
    rows: Mapping[bytes, Mapping[bytes, bytes]], bytes_max: int = PUT_BYTES_MAX
) -> Iterator[dict[bytes, Mapping[bytes, bytes]]]:
    """The same rows in the same order, none cut."""
    batch: dict[bytes, Mapping[bytes, bytes]] = {}
    size = 0
    for row, values in rows.items():
        row_bytes = len(row) + sum(len(column) + len(value) for column, value in values.items())
        if batch and size + row_bytes > bytes_max:
            yield batch
            batch, size = {}, 0
        batch[row] = values
        size += row_bytes
    if batch:
        yield batch


def get_batches(
    rows: Sequence[bytes], rows_max: int = GET_ROWS_MAX, bytes_max: int = GET_BYTES_MAX
) -> Iterator[list[bytes]]:
    """The same rows in the same order."""
    batch: list[bytes] = []
    size = 0
    for row in rows:
        if batch and (len(batch) == rows_max or size + len(row) > bytes_max):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row)
    if batch:
        yield batch
