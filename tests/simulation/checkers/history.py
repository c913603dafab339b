"""What a run did, as the checkers judge it: attempts to commit, reads, and what the commit table came to hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from repo.api import Cell, Outcome, Transaction, Version
from repo.oracle.port import Resolution

INDEX_GROUP = ""


@dataclass(eq=False)
class Attempt:
    """A transaction that was given to `Repo.commit`.

    told: None as long as nobody was told: the client crashed, or got an error. ids: those under which its cells were
    put; more than one when a merged group was split. internal: of the engine itself (covering a dead cell again).
    """

    actor: str
    snapshot: int
    writes: dict[Cell, bytes | None]
    checks: frozenset[Cell] = frozenset()
    unchecked: dict[Cell, bytes | None] = field(default_factory=dict)
    told: Outcome | None = None
    ids: set[int] = field(default_factory=set)
    internal: bool = False

    def puts(self) -> dict[Cell, bytes | None]:
        """Everything that becomes visible with it."""
        return {**self.writes, **self.unchecked}

    def __str__(self) -> str:
        ids = ", ".join(map(str, sorted(self.ids))) or "none"
        told = "nothing" if self.told is None else f"{self.told.kind.value} {self.told.commit_timestamp}"
        return f"{self.actor}'s attempt at snapshot {self.snapshot} (ids {ids}; told {told})"


class Read(NamedTuple):
    """One cell, seen at a snapshot. newest: of a group that keeps the newest version only. watermark: of garbage
    collection, when it was asked for."""

    actor: str
    snapshot: int
    cell: Cell
    found: Version | None
    newest: bool = False
    watermark: int = 0


class Listing(NamedTuple):
    """All cells of a table's group (an index: of a prefix) between two keys, both exclusive, as a snapshot saw them;
    limit: at most so many."""

    actor: str
    snapshot: int
    table: str
    group: str
    after: bytes
    before: bytes | None
    prefix: bytes
    found: tuple[tuple[bytes, Version], ...]
    limit: int = 1_000


class Mark(NamedTuple):
    """Of a table's contents: without what was committed after `since`, and with all that was up to `upto`."""

    actor: str
    table: str
    mark: bytes
    since: int
    upto: int


class Begin(NamedTuple):
    """known: the highest timestamp that the client had been told, or had demanded; as long as there is one oracle only,
    what any client had been told."""

    actor: str
    known: int
    snapshot: int


class Told(NamedTuple):
    """What an oracle told of an id to somebody who asked (a dispatcher of notifications, a reader)."""

    actor: str
    id: int
    resolution: Resolution


@dataclass
class History:
    """calls: attempts that were given to one `Repo.commit`, in its order. commits: id -> every commit timestamp that
    its row of the commit table ever had (one, if all is well)."""

    attempts: list[Attempt] = field(default_factory=list)
    calls: list[Sequence[Attempt]] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    begins: list[Begin] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    commits: dict[int, set[int]] = field(default_factory=dict)

    def commit_timestamps(self, attempt: Attempt) -> list[int]:
        """Of its ids, what is in the commit table."""
        return sorted({commit for id in attempt.ids for commit in self.commits.get(id, ())})


def attempt_of(actor: str, transaction: Transaction) -> Attempt:
    """Copies: the transaction may go on changing."""
    unchecked: dict[Cell, bytes | None] = dict(transaction.companions)
    for (table, key), value in transaction.index_writes.items():
        unchecked[Cell(table, key, INDEX_GROUP)] = value
    return Attempt(
        actor, transaction.snapshot_timestamp, dict(transaction.writes), frozenset(transaction.checks), unchecked
    )


def attempts_of(actor: str, transactions: Sequence[Transaction]) -> list[Attempt]:
    return [attempt_of(actor, transaction) for transaction in transactions]
