"""What every actor has: a Repo of its own process, chance of its own, and a loop around its transactions."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Protocol

from proto.codec import encode_key
from proto.errors import TooOldError, UnavailableError
from repo.api import Keep, Outcome, OutcomeKind, Snapshot, TableSpec, Transaction
from tests.simulation.faults.cells import FaultyCells
from tests.simulation.oracles import FaultyOracle
from tests.simulation.recorder import RecordedRepo
from tests.simulation.scheduler import Process, ProcessClock, Promise, Scheduler
from tests.simulation.topics import DocumentsTopic, Topics

TABLE, GROUP, OTHER_GROUP, ENTRIES, LATEST = "cells", "a", "b", "entries", "latest"
TABLES = (
    TableSpec(TABLE, {GROUP: Keep.VERSIONED, OTHER_GROUP: Keep.VERSIONED}),
    TableSpec(ENTRIES, {"": Keep.INDEX}),
    TableSpec(LATEST, {GROUP: Keep.NEWEST}),
)
ATTEMPTS_MAX = 30

Body = Callable[[Snapshot, Transaction], None]


@dataclass
class Client:
    """A process with a Repo, and what the Repo stands on, for those who go past it. failures: what its actors found
    wrong by themselves, for the whole run."""

    process: Process
    repo: RecordedRepo
    cells: FaultyCells
    oracle: FaultyOracle
    topics: Topics
    documents: DocumentsTopic
    clock: ProcessClock
    scheduler: Scheduler
    random: Random
    failures: list[str]
    pace: float = 1.0
    serial: int = field(default=0)

    def transact(self, body: Body, attempts: int = ATTEMPTS_MAX) -> Outcome | None:
        """Runs body(snapshot, transaction) and commits, again after a conflict. None: there was nothing to write, or
        it gave up. UNKNOWN: nobody could tell what became of it, so it did not run again."""
        at_least = 0
        for _ in range(attempts):
            transaction = self.look(body, at_least)
            if transaction is None:
                continue
            if not transaction.writes:
                return None
            if self.random.random() < 0.3:
                self.rest(80.0)  # long transactions, too
            try:
                (outcome,) = self.repo.commit([transaction])
            except UnavailableError:
                continue
            if outcome.kind is OutcomeKind.UNKNOWN:
                outcome = self.settle(transaction, outcome)
            if outcome.committed or outcome.kind is OutcomeKind.UNKNOWN:
                return outcome
            if outcome.kind is OutcomeKind.CONFLICT:
                at_least = outcome.commit_timestamp
        return None

    def look(self, body: Body, at_least: int = 0) -> Transaction | None:
        """Runs body once at a new snapshot. None: the store did not answer, or the snapshot grew too old."""
        self.rest()
        try:
            with self.repo.snapshot(at_least) as snapshot:
                transaction = Transaction(snapshot.timestamp)
                body(snapshot, transaction)
        except (UnavailableError, TooOldError):
            return None
        return transaction

    def at_once(self, calls: Sequence[Callable[[], object]]) -> None:
        """As threads of this process, until all have ended."""
        left, ended = len(calls), Promise(self.scheduler)

        def run(call: Callable[[], object]) -> None:
            nonlocal left
            with suppress(UnavailableError, TooOldError):
                call()
            left -= 1
            if not left:
                ended.keep()

        for call in calls:
            self.scheduler.spawn(self.process, partial(run, call))
        ended.wait()

    def settle(self, transaction: Transaction, unknown: Outcome) -> Outcome:
        """Asks until somebody can tell; not for ever."""
        for _ in range(ATTEMPTS_MAX):
            if unknown.kind is not OutcomeKind.UNKNOWN:
                break
            self.rest(20.0)
            unknown = self.repo.settle(transaction, unknown)
        return unknown

    def rest(self, ms_max: float = 5.0) -> None:
        """What a client does that is no call. At a slow pace leases run out, and garbage is made."""
        self.scheduler.sleep(self.random.uniform(0.0, ms_max * self.pace))

    def tag(self) -> bytes:
        """A value that nobody else writes."""
        self.serial += 1
        return b"%s.%d" % (self.process.name.encode(), self.serial)


class Actor(Protocol):
    """A kind of work. One object serves all clients of a run: it is how the judge knows what they were told."""

    def prepare(self, client: Client) -> None:
        """Once, before any fault."""
        ...

    def act(self, client: Client) -> None:
        """One step, under faults: it may end anywhere."""
        ...

    def finish(self, client: Client) -> None:
        """Once, after the last fault, by a client that has just started: adds what does not hold to its failures."""
        ...


def key_of(*parts: int | str) -> bytes:
    return encode_key(("sim", *parts))


def value(snapshot: Snapshot, key: bytes, group: str = GROUP) -> bytes | None:
    """Of a cell, what a snapshot sees."""
    (version,) = snapshot.read(TABLE, group, [key])
    return None if version is None else version.value
