"""The cell port: what the HBase engine and the oracle ask of HBase, with the meanings that Thrift1 gives it.

A *column* is `family:qualifier`, bytes. A cell (table, row, column) has versions, each with the timestamp that its
writer chose. Every write may land late (after the call has failed) and twice: whoever writes must be content with that.
Not shared between threads unless an implementation says so. Behind it: repo/hbase/thrift.py, and repo/hbase/memory.py,
its twin, traps included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """One version of a cell."""

    timestamp: int
    value: bytes


Row = dict[bytes, Stored]
"""Column -> one version."""


class Range(NamedTuple):
    """Rows with start <= row < stop. stop None: to the end."""

    start: bytes
    stop: bytes | None


@dataclass(frozen=True, slots=True)
class Family:
    """Settings of a column family. versions: how many are kept; scope 1: its cells are shipped by replication."""

    versions: int
    scope: int = 0


class Cells(Protocol):
    """Each call raises UnavailableError when its outcome is not known (a write may then still land, later), and
    InvalidMessageError for what can never be stored, before anything is written."""

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """Row -> column -> value, all with this one timestamp. A row is written whole; the rows are not one unit: a
        call that failed may have written some. Values may be empty."""
        ...

    def put_soon(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """As `put`, without waiting: it lands later, or never, and nobody is told. For what may be lost."""
        ...

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        """Of each row and column the newest version with a timestamp < `before`; absent rows are left out. `columns`:
        `family:qualifier`, where a qualifier may be empty, or `family` for all of a family."""
        ...

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        """Of one cell the newest `limit` versions with a timestamp < `before`, newest first."""
        ...

    def scan(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[tuple[bytes, Row]]:
        """Rows with start <= row (< stop), in order, at most `limit`; of each column as `get`. Rows without any such
        version are left out and not counted."""
        ...

    def scans(
        self, table: str, ranges: Sequence[Range], columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[list[tuple[bytes, Row]]]:
        """As `scan`, of each: side by side, where that is faster. At most `limit` rows each."""
        ...

    def delete(self, table: str, timestamp: int, rows: Mapping[bytes, Sequence[bytes]]) -> None:
        """Of each row and column ALL versions <= timestamp. What is put there at or below it afterwards stays invisible
        until a major compaction."""
        ...

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        """Puts `value` if the newest version is `expected` (None: if there is none), at the server's time. An empty
        value counts as none. False may be the answer of a second attempt whose first one succeeded: read to know."""
        ...

    def regions(self, table: str) -> list[tuple[bytes, bytes | None]]:
        """(start, stop) of each region, in order; stop None: the end."""
        ...


class Tables(Protocol):
    """Makes tables, and looks at their settings."""

    def require(self, tables: Mapping[str, Mapping[str, Family]]) -> None:
        """Table -> family -> settings. Makes what is absent; raises SettingsError, naming table, family and setting,
        for what is there with other settings (versions, time to live, scope). Idempotent; two processes may do it."""
        ...
