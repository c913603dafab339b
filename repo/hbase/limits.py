"""What HBase can never store, found before anything is sent."""

from collections.abc import Iterable, Mapping

from proto.errors import InvalidMessageError

ROW_BYTES_MAX = 32_000
"""HBase takes 32,767, and then looks for the region with a key of table, row and an id, of as many at most: a put of a
longer one ends with the gateway's time-out."""
BOUND_BYTES_MAX = ROW_BYTES_MAX + 1
"""So that a scan can go on just above any row."""
CELL_BYTES_MAX = 10 * 1024 * 1024 - 256
"""Row, column and value together: hbase.server.keyvalue.maxsize, less what HBase adds."""
ROW_PUT_BYTES_MAX = 64 * 1024 * 1024
"""Of one row in one put: the gateway takes messages of 100 MB at most, and a row is not cut."""
TIMESTAMP_MAX = 2**63 - 2
"""One more means "the server's time" to HBase."""


def check_put(table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
    """Raises InvalidMessageError, with table, row and column, for the first cell that can't be stored."""
    _check_timestamp(table, timestamp)
    for row, values in rows.items():
        _check_row(table, row)
        size = 0
        for column, value in values.items():
            _check_column(table, row, column)
            cell_bytes = len(column) + len(value)
            if len(row) + cell_bytes > CELL_BYTES_MAX:
                raise InvalidMessageError(
                    f"{_named(table, row)}, {column!r}: a value of {len(value)} bytes; HBase takes cells of at most "
                    f"{CELL_BYTES_MAX} bytes. Keep such values elsewhere, and a reference here"
                )
            size += cell_bytes
        if size > ROW_PUT_BYTES_MAX:
            raise InvalidMessageError(
                f"{_named(table, row)}: {size} bytes in one put; a row takes {ROW_PUT_BYTES_MAX} at most. Keep large "
                "values elsewhere, and references here"
            )


def check_delete(table: str, timestamp: int, rows: Mapping[bytes, Iterable[bytes]]) -> None:
    """As `check_put`."""
    _check_timestamp(table, timestamp)
    for row, columns in rows.items():
        _check_row(table, row)
        for column in columns:
            _check_column(table, row, column, qualifier_bytes_min=0)


def check_rows(table: str, rows: Iterable[bytes]) -> None:
    """Raises InvalidMessageError for keys that no row can have: the gateway would answer "internal error"."""
    for row in rows:
        _check_row(table, row)


def check_bounds(table: str, *bounds: bytes | None) -> None:
    """As `check_rows`, of a scan: empty, or none, is the beginning or the end."""
    for bound in filter(None, bounds):
        _check_row(table, bound, BOUND_BYTES_MAX)


def _check_timestamp(table: str, timestamp: int) -> None:
    if not 0 < timestamp <= TIMESTAMP_MAX:
        raise InvalidMessageError(f"table {table}: {timestamp} is no timestamp; HBase takes 1 to {TIMESTAMP_MAX}")


def _check_row(table: str, row: bytes, bytes_max: int = ROW_BYTES_MAX) -> None:
    if not 0 < len(row) <= bytes_max:
        raise InvalidMessageError(
            f"{_named(table, row)}: a row key of {len(row)} bytes; 1 to {bytes_max} are taken. Use a shorter key"
        )


def _check_column(table: str, row: bytes, column: bytes, qualifier_bytes_min: int = 1) -> None:
    """Who deletes may name an empty qualifier, which Omid's client puts."""
    if not 0 < column.find(b":") < len(column) - qualifier_bytes_min:
        raise InvalidMessageError(f"{_named(table, row)}: {column!r} is no column; write family:qualifier")


def _named(table: str, row: bytes) -> str:
    return f"table {table}, row {row[:40]!r}{'...' if len(row) > 40 else ''}"
