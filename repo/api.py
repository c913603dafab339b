"""The Storage Repo as services see it: snapshots, transactions, outcomes. Two engines stand behind it.

Terms. A row is (table, key); `key` is an encoded key (proto.codec), bytes. Its columns live in *groups*; a *cell* is
(table, key, group), the unit of writing and of conflict. A *snapshot* is a timestamp: a read sees, of each cell, the
newest version committed at or below it. A *transaction* is a value until `Repo.commit`: reads come from its
snapshot, writes wait in it. Snapshot isolation: a commit conflicts when a cell that it wrote or checked was
committed by somebody else after its snapshot.

Kinds of groups: VERSIONED keeps history; NEWEST keeps only the newest version (a reader of any snapshot gets the
newest); index tables hold entries `key -> value` without conflicts of their own, changed only together with the row
that they describe.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol, Self


class Keep(Enum):
    """What a group keeps."""

    VERSIONED = "versioned"
    NEWEST = "newest"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table that the Repo holds. groups: name -> what it keeps. An index table has the one group "" with Keep.INDEX.

    large: groups whose values are large (documents); the engine may keep such values apart from the rows.
    """

    name: str
    groups: dict[str, Keep]
    large: frozenset[str] = frozenset()


class Cell(NamedTuple):
    """The unit of writing and of conflict."""

    table: str
    key: bytes
    group: str


class Version(NamedTuple):
    """One committed version of a cell. value None: deleted."""

    commit_timestamp: int
    value: bytes | None


class OutcomeKind(Enum):
    COMMITTED = "committed"
    CONFLICT = "conflict"
    TOO_OLD = "too old"
    FENCED = "fenced"
    UNKNOWN = "unknown"


class Outcome(NamedTuple):
    """commit_timestamp: of this transaction when COMMITTED, of the other one when CONFLICT (retry with
    snapshot(at_least=it)). TOO_OLD: it is not committed and never will be; retry with a new snapshot."""

    kind: OutcomeKind
    commit_timestamp: int = 0
    cell: Cell | None = None

    @property
    def committed(self) -> bool:
        return self.kind is OutcomeKind.COMMITTED


class Reads(Protocol):
    """What builds and handlers read from: the narrow side of a snapshot."""

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        """The visible version of each cell, in the order of `keys`; None where there is none; a tombstone is a
        Version with value None.

        NEWEST groups: the newest version, whatever the snapshot. Raises TooOldError when the snapshot fell below the
        gc watermark.
        """
        ...

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        """For each table (index tables too) bytes that differ whenever something was committed to it in between, and
        perhaps when something was to another; b"": never written. Whoever keeps what it has read of a table may use it
        as long as the mark stays the same."""
        ...

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        """Of an index table: for each prefix the first `limit_each` entries (key, value) in key order, those above
        `after` only.

        One call for many prefixes. As of the snapshot if it is `still`; else as of now or of the snapshot, as
        the engine likes.
        """
        ...


class Snapshot(Reads, Protocol):
    """A consistent view. A context manager: leaving it releases what it holds. Not shared between threads."""

    @property
    def timestamp(self) -> int: ...

    def scan(
        self, table: str, group: str, after: bytes = b"", before: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, Version]]:
        """Rows in key order with after < key (< before), tombstones left out; at most `limit`. Fewer than `limit`:
        that was the end."""
        ...

    def partitions(self, table: str, count: int) -> list[tuple[bytes, bytes | None]]:
        """At most `count` ranges (after, before) that cover the table, of roughly equal size, for parallel scans."""
        ...

    def history(self, table: str, group: str, key: bytes, limit: int = 100) -> list[Version]:
        """Versions visible to this snapshot, newest first."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


@dataclass(slots=True)
class Transaction:
    """Writes that wait. Nothing here touches the store; whoever holds it decides when `Repo.commit` gets it.

    companions: written, but not checked for conflicts: cells that nobody ever writes without one, the same for all who
    do, that is in `writes`. Its check is enough.
    """

    snapshot_timestamp: int
    writes: dict[Cell, bytes | None] = field(default_factory=dict)
    checks: set[Cell] = field(default_factory=set)
    index_writes: dict[tuple[str, bytes], bytes | None] = field(default_factory=dict)
    messages: list[tuple[str, int, bytes]] = field(default_factory=list)
    companions: dict[Cell, bytes] = field(default_factory=dict)

    def write(self, table: str, key: bytes, group: str, value: bytes) -> None:
        """Puts a new version of a cell. value is not empty."""
        self.writes[Cell(table, key, group)] = value

    def delete(self, table: str, key: bytes, group: str) -> None:
        """Puts a tombstone."""
        self.writes[Cell(table, key, group)] = None

    def check(self, table: str, key: bytes, group: str) -> None:
        """Makes a read part of the conflict check (read-for-conflict)."""
        self.checks.add(Cell(table, key, group))

    def write_index(self, table: str, key: bytes, value: bytes) -> None:
        """Adds an index entry (value b"" is allowed)."""
        self.index_writes[table, key] = value

    def delete_index(self, table: str, key: bytes) -> None:
        """Removes an index entry; it need not be there."""
        self.index_writes[table, key] = None

    def notify(self, topic: str, partition: int, payload: bytes) -> None:
        """Appends `commit timestamp (8 bytes big-endian) + payload` to a topic, in the same commit."""
        self.messages.append((topic, partition, payload))


class Repo(Protocol):
    """The Storage Repo. Safe to use from several threads and processes."""

    def declare(self, tables: Sequence[TableSpec]) -> None:
        """Makes tables and groups known; idempotent; a group whose kind differs from what is stored is a
        SettingsError."""
        ...

    def snapshot(self, at_least: int = 0, still: bool = False) -> Snapshot:
        """The newest snapshot. Raises UnavailableError when the store can't reach `at_least` (N1).

        still: while it is entered (`with`), `scan_prefixes`, too, sees what there was at its timestamp, so that a build
        is whole; the timestamp is taken on entering, which may raise, too. Leave it within a second: it keeps the store
        from cleaning up.
        """
        ...

    def snapshot_at(self, timestamp: int) -> Snapshot:
        """Time travel: reads as of `timestamp`. Raises TooOldError below the gc watermark."""
        ...

    def lease(self, snapshot: Snapshot, seconds: float) -> AbstractContextManager[None]:
        """Holds garbage collection back for a long read; ends by itself after `seconds` if the process dies."""
        ...

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """Commits many at once, in order, each on its own terms; members are checked against each other.

        Members that have no cell and no index entry in common may share a commit timestamp; of those that have, the
        later one's is higher. Inside `Durable.group` the outcome holds if the group does.
        """
        ...

    def settle(self, transaction: Transaction, unknown: Outcome) -> Outcome:
        """What became of a transaction of which `commit`, of this Repo or another process's, said UNKNOWN.

        COMMITTED; TOO_OLD: it is not and never will be; UNKNOWN: nobody can tell yet, ask again. For what must not be
        done again before that is known; whatever tells by what is stored whether it was done need not ask.
        """
        ...

    def last_timestamp(self) -> int:
        """The newest commit timestamp; 0 for an empty Repo."""
        ...

    def collect_garbage(self, before: int, limit: int = 10_000) -> int:
        """Removes versions that no snapshot at or above `before` (or the oldest lease, if older) can see; returns
        how many.

        Looks at about `limit` cells, from where the last call stopped, and after the last one at the first again: 0
        means that nothing was found there, not that the whole store is clean.
        Raises, when it has done what it could, the error of a table that can't be read, and names it; the next call
        goes on.
        """
        ...

    def tables(self) -> Iterator[TableSpec]: ...
