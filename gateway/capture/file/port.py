"""The port of a file of rows: read in order, from any place on, told apart from what it was before."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec


class Place(msgspec.Struct, array_like=True, frozen=True):
    """Behind a row. row: how many rows (JSON Lines: lines) are before it; byte: where the next one begins, if lines
    are read."""

    row: int = 0
    byte: int = 0


class FileRow(NamedTuple):
    """One row. number: from 1, as people count. fault: why there are no values; "" when there are."""

    number: int
    values: Mapping[str, Any]
    fault: str = ""


class Page(NamedTuple):
    """Some rows in the file's order, and the place behind them."""

    rows: list[FileRow]
    place: Place


class RowFile(Protocol):
    """One file that is open."""

    path: str
    fingerprint: str
    """Size, time of the last change, and a hash of both ends."""

    modified_ms: float
    """Time of the last change."""

    base64: bool
    """Whether bytes come as text in base64."""

    columns: Mapping[str, str] | None
    """Column -> its type, in the file's own words; None: each row names its own."""

    size: int
    """In rows, or, where places have bytes, in bytes."""

    def pages(self, place: Place, rows_max: int) -> Iterator[Page]:
        """Everything behind `place`. Raises InvalidMessageError when the file is damaged from some row on."""
        ...

    def changed(self) -> bool:
        """Whether it is not the file any more that was opened."""
        ...

    def holds(self, kind: str, column: str) -> bool:
        """Whether values of this column may be of this type (proto.values); True when only the values can tell."""
        ...

    def close(self) -> None: ...
