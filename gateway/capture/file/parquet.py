"""Parquet, by pyarrow (the extra `files`): read by row groups, whose sizes their writer chose, in bounded batches."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.capture.file.port import FileRow, Page, Place
from gateway.capture.file.stamp import fingerprint, stamp
from proto.errors import InvalidMessageError, SettingsError

try:
    import pyarrow as arrow
    import pyarrow.parquet as parquet
except ImportError:  # the extra is not installed; ParquetFile says so
    arrow = parquet = None

_FAMILIES = {
    "int": ("integer", "floating", "decimal", "boolean", "string"),
    "float": ("integer", "floating", "decimal", "boolean", "string"),
    "decimal": ("integer", "floating", "decimal", "string"),
    "bool": ("integer", "boolean", "string", "floating"),
    "str": ("integer", "floating", "decimal", "boolean", "string", "date", "timestamp"),
    "bytes": ("binary", "string"),
    "date": ("date", "timestamp", "string"),
    "datetime": ("timestamp", "integer", "floating", "string"),
}
"""Column type of the flows file -> families of Arrow types whose values it can take; json takes every one."""


class ParquetFile:
    """gateway.capture.file.port.RowFile."""

    base64 = False

    def __init__(self, path: Path) -> None:
        """Raises SettingsError when it can't be read: it is not there, empty, cut off, or no Parquet."""
        if parquet is None:
            raise SettingsError("Parquet files need pyarrow: pip install 'adsindex[files]' (JSON Lines need nothing)")
        self.path = str(path)
        self._stamp = stamp(path)
        self.fingerprint, self.modified_ms = fingerprint(path, self._stamp), self._stamp.modified_ms
        try:
            self._file = parquet.ParquetFile(path)
        except (arrow.ArrowException, OSError) as error:
            raise SettingsError(f"{path} is no whole Parquet file (cut off?): {_first_line(error)}") from None
        self._schema = self._file.schema_arrow
        self.columns: Mapping[str, str] | None = {field.name: str(field.type) for field in self._schema}
        self.size = self._file.metadata.num_rows

    def pages(self, place: Place, rows_max: int) -> Iterator[Page]:
        before = 0
        for number in range(self._file.metadata.num_row_groups):
            count = self._file.metadata.row_group(number).num_rows
            if before + count > place.row:
                yield from self._group(number, before, place.row, rows_max)
            before += count

    def changed(self) -> bool:
        return stamp(Path(self.path)) != self._stamp

    def holds(self, kind: str, column: str) -> bool:
        return kind == "json" or _family(self._schema.field(column).type) in ("null", *_FAMILIES[kind])

    def close(self) -> None:
        self._file.close()

    def _group(self, number: int, first: int, after: int, rows_max: int) -> Iterator[Page]:
        """Of one row group, which begins behind `first` rows, those behind `after`."""
        row = first
        try:
            for batch in self._file.iter_batches(batch_size=rows_max, row_groups=[number]):
                names = batch.schema.names
                columns = [_values(column) for column in batch.columns]
                rows = [
                    FileRow(at, dict(zip(names, values, strict=True)))
                    for at, values in enumerate(zip(*columns, strict=True), row + 1)
                    if at > after
                ]
                row += batch.num_rows
                if rows:
                    yield Page(rows, Place(row))
        except (arrow.ArrowException, OSError) as error:
            raise InvalidMessageError(f"{self.path} is damaged after row {row:,}: {_first_line(error)}") from None


def _values(column: Any) -> list[Any]:
    """As Python has them; what is finer than a microsecond is cut."""
    kind = column.type
    if arrow.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(arrow.timestamp("us", kind.tz), safe=False)
    found: list[Any] = column.to_pylist()
    return found


def _family(kind: Any) -> str:
    if arrow.types.is_dictionary(kind):
        return _family(kind.value_type)
    if arrow.types.is_large_string(kind) or arrow.types.is_string_view(kind):
        return "string"
    if arrow.types.is_large_binary(kind) or arrow.types.is_fixed_size_binary(kind) or arrow.types.is_binary_view(kind):
        return "binary"
    names = ("null", "boolean", "integer", "floating", "decimal", "string", "binary", "date", "timestamp")
    return next((name for name in names if getattr(arrow.types, f"is_{name}")(kind)), "other")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
