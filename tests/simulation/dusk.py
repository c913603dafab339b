"""The evening of a run with garbage: all that is healed, covered, swept and collected is read, settled and written over
at that very moment."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from random import Random
from typing import Protocol

from proto.errors import TooOldError
from repo.api import Cell, Outcome, OutcomeKind, Snapshot, Transaction
from tests.simulation import product
from tests.simulation.actors.asker import ask
from tests.simulation.actors.client import ENTRIES, GROUP, OTHER_GROUP, TABLE, Body, Client, key_of
from tests.simulation.actors.garbage import collect
from tests.simulation.faults.network import Network
from tests.simulation.faults.plan import Plan
from tests.simulation.recorder import Recorder
from tests.simulation.scheduler import Process, Scheduler

WHILE_MS = 60.0
"""Most often enough for a transaction."""
LEASED_S = 60.0
OVER = (("cold",), ("grave",), ("cold", "grave"), ("tomb",))
"""What rivals write."""
CALLS_UNTIL_DOOMED = (6, 7, 7)
"""Of a client that dies: in the call that puts its cells, or in the next one."""


class Start(Protocol):
    """Starts a client: World's."""

    def __call__(self, name: str, work: Callable[[Client], None], process: Process | None = None) -> None: ...


class Scene:
    """What is at hand at the end of a run. unsettled: transactions whose clients don't know what became of them."""

    def __init__(
        self,
        scheduler: Scheduler,
        network: Network,
        recorder: Recorder,
        start: Start,
        compact: Callable[[], None],
        oracles: Callable[[], Sequence[Process]],
    ) -> None:
        self._compact, self._oracles = compact, oracles
        self._scheduler, self._network, self._recorder, self._start = scheduler, network, recorder, start
        self._random: Random = scheduler.random
        self._unsettled: list[tuple[Client, Transaction, Outcome]] = []

    def _commit(self, client: Client, transaction: Transaction) -> None:
        (outcome,) = client.repo.commit([transaction])
        if outcome.kind is OutcomeKind.UNKNOWN:
            self._unsettled.append((client, transaction, outcome))

    def _read(self, snapshot: Snapshot) -> None:
        """Everything."""
        for (table, group), keys in self._recorder.cells().items():
            if group:
                snapshot.read(table, group, keys)


class Dusk(Scene):
    def fall(self, plan: Plan) -> None:
        """Leaves the plan for the end of the run to set."""
        self._scheduler.run()
        self._leave_behind(replace(plan, lost_shadow=1.0))
        self._network.plan = replace(plan, lost_shadow=0.0)
        self._scheduler.now_ms += 1.5 * product.SETTLED_MS
        random, names = self._random, product.NAMES
        self._start("late", lambda client: write(client, "dusk"))
        for number in range(3):
            self._start(f"rival{number}", self._write_soon)
            self._start(f"leaser{number}", partial(self._look_leased, may_end=plan.clock_jumps > 0))
        self._start("remover", self._remove)
        self._start("slow", self._write_slowly)
        self._start("hasty", self._write_and_die)
        self._start("settler", self._settle_soon)
        if random.random() < 0.3:
            self._scheduler.later(random.uniform(WHILE_MS / 2, 2 * WHILE_MS), self._stop_leader)
        self._start("asker", self._ask_soon)
        self._start("past", self._look_back)
        for number in range(2):
            stop_on = random.choice((names.data(TABLE), names.data(TABLE), names.data(ENTRIES), names.gc, ""))
            self._start_one_that_stops(f"old{number}", self._look_late, stop_on, random.uniform(30.0, 120.0))
        for number in range(3):
            stop_on = random.choice((names.commit_table, names.commit_table, ""))
            self._start_one_that_stops(f"new{number}", self._look_soon, stop_on, random.uniform(20.0, 600.0))
        for number in range(3):
            collector = Process(f"collector{number}", stop_ms=random.uniform(20.0, 120.0))
            if number:  # one comes to the end of it
                collector.crash_at = random.choice((None, None, random.randint(1, 50)))
                collector.stop_at = random.choice((None, random.randint(3, 40)))
            self._start(collector.name, self._collect_soon, collector)
        self._scheduler.run()

    def _stop_leader(self) -> None:
        """When it looks for what it does not remember; meanwhile that may be swept."""
        for leader in self._oracles()[-1:]:
            leader.stop_on, leader.stop_ms = product.NAMES.commit_table, self._random.uniform(20.0, 100.0)

    def _leave_behind(self, plan: Plan) -> None:
        """Committed cells without shadow cells; a tombstone; cells of a client that died over all of them, and where
        there was nothing; a transaction of which its client does not know what became of it."""
        self._network.plan = plan
        self._start("early", lambda client: (write(client, "dusk", "cold", "tomb"), delete(client, "tomb")))
        self._scheduler.run()
        self._network.plan = replace(plan, lost_outcome=1.0)
        if self._random.random() < 0.5:
            self._start("unsure", self._write_unsurely)
            self._scheduler.run()
        self._network.plan = plan
        if self._random.random() < 0.7:
            doomed = Process("doomed", crash_at=self._random.choice(CALLS_UNTIL_DOOMED))
            self._start("doomed", lambda client: write(client, "dusk", "cold", "tomb", "grave", "abyss"), doomed)
            self._scheduler.run()

    def _start_one_that_stops(self, name: str, work: Callable[[Client], None], stop_on: str, stop_ms: float) -> None:
        self._start(name, work, Process(name, stop_on=stop_on, stop_ms=stop_ms))

    def _write_unsurely(self, client: Client) -> None:
        with client.repo.snapshot() as snapshot:
            transaction = Transaction(snapshot.timestamp)
        for name in self._random.choice((("dusk",), ("dusk", "quiet"))):
            transaction.write(TABLE, key_of(name), GROUP, client.tag())
            transaction.companions[Cell(TABLE, key_of(name), OTHER_GROUP)] = client.tag()
        self._commit(client, transaction)

    def _settle_soon(self, client: Client) -> None:
        """Before, while, or after it is swept."""
        for asker, transaction, outcome in self._unsettled:
            self._sleep(WHILE_MS, 20 * WHILE_MS)
            asker.repo.settle(transaction, outcome)

    def _ask_soon(self, client: Client) -> None:
        for _ in range(2):
            self._sleep(WHILE_MS, 3 * WHILE_MS)
            ask(client, lately=1_000)

    def _write_soon(self, client: Client) -> None:
        """Over what is being covered."""
        self._sleep(WHILE_MS, 2 * WHILE_MS)
        for _ in range(2):
            at_once(client, partial(fill, client, self._random.choice(OVER)))
            self._sleep(0.0, WHILE_MS / 2)

    def _remove(self, client: Client) -> None:
        """What is deleted already, alone: beside it a cell of the doomed one still lies on top."""
        self._sleep(0.0, WHILE_MS)
        at_once(client, lambda snapshot, transaction: transaction.delete(TABLE, key_of("tomb"), GROUP))

    def _write_slowly(self, client: Client) -> None:
        """Is stopped right before it puts its cells, or before they are decided; and may die before its shadow cells
        are put."""
        self._sleep(0.6 * WHILE_MS, WHILE_MS)

        def stop(snapshot: Snapshot, transaction: Transaction) -> None:
            process, call = client.process, self._random.choice((3, 4))
            process.stop_at, process.stop_ms = process.calls + call, self._random.uniform(40.0, 90.0)
            process.crash_at = process.calls + 5 if call == 4 else None
            transaction.write(TABLE, key_of("abyss"), GROUP, client.tag())

        at_once(client, stop)

    def _write_and_die(self, client: Client) -> None:
        """Over the same, before it is decided."""
        self._sleep(0.9 * WHILE_MS, 1.4 * WHILE_MS)
        client.process.crash_at = client.process.calls + self._random.choice((3, 4))
        at_once(client, lambda snapshot, transaction: fill(client, ("abyss",), snapshot, transaction))

    def _look_leased(self, client: Client, may_end: bool) -> None:
        """may_end: too early, as clocks jump."""
        self._sleep(0.0, 2 * WHILE_MS)
        leased = False
        with client.repo.snapshot() as snapshot:
            self._sleep(0.0, WHILE_MS / 2)
            try:
                with client.repo.lease(snapshot, LEASED_S):
                    leased = True
                    for _ in range(2):
                        self._sleep(0.0, WHILE_MS)
                        self._look(snapshot)
            except TooOldError:
                if leased and not may_end:
                    client.failures.append(f"the leased snapshot {snapshot.timestamp} is called too old")

    def _collect_soon(self, client: Client) -> None:
        self._sleep(WHILE_MS, 2 * WHILE_MS)
        collect(client)
        collect(client)  # the first one may have come to the end of somebody's walk only

    def _look_late(self, client: Client) -> None:
        """At a snapshot that grows too old meanwhile."""
        with client.repo.snapshot() as snapshot:
            for _ in range(2):
                self._sleep(WHILE_MS, 2 * WHILE_MS)
                self._look(snapshot)

    def _look_soon(self, client: Client) -> None:
        """With a cache that knows nothing; and most often with a lease, as it would be too old when it goes on."""
        self._scheduler.sleep(WHILE_MS)
        with client.repo.snapshot() as snapshot:
            leased = client.repo.lease(snapshot, LEASED_S) if self._random.random() < 0.7 else nullcontext()
            with leased:
                self._read(snapshot)

    def _look_back(self, client: Client) -> None:
        """As of a moment that may be collected, or not."""
        self._sleep(WHILE_MS, 5 * WHILE_MS)
        moment = self._random.choice(self._recorder.commit_timestamps()[-4:])
        with client.repo.snapshot_at(moment - self._random.choice((0, 1))) as snapshot:
            self._look(snapshot)

    def _look(self, snapshot: Snapshot) -> None:
        """In one of the ways that there are to look, at everything."""
        ways = (self._read, self._read, self._scan, self._list, self._read_histories)
        self._random.choice(ways)(snapshot)

    def _scan(self, snapshot: Snapshot) -> None:
        snapshot.scan(TABLE, GROUP)

    def _list(self, snapshot: Snapshot) -> None:
        snapshot.scan_prefixes(ENTRIES, [b"x", b"y"], limit_each=1000)

    def _read_histories(self, snapshot: Snapshot) -> None:
        for name in ("dusk", "cold", "tomb"):
            snapshot.history(TABLE, GROUP, key_of(name))

    def _sleep(self, ms_min: float, ms_max: float) -> None:
        self._scheduler.sleep(self._random.uniform(ms_min, ms_max))


def write(client: Client, *names: str) -> None:
    client.transact(partial(fill, client, names))


def fill(client: Client, names: Sequence[str], snapshot: Snapshot, transaction: Transaction) -> None:
    """A cell of each; with it another one, which nobody writes alone, and an index entry."""
    for name in names:
        transaction.write(TABLE, key_of(name), GROUP, client.tag())
        transaction.companions[Cell(TABLE, key_of(name), OTHER_GROUP)] = client.tag()
        transaction.write_index(ENTRIES, b"x" + key_of(name), client.tag())


def at_once(client: Client, body: Body) -> None:
    """Without any rest; whatever comes out."""
    with client.repo.snapshot() as snapshot:
        transaction = Transaction(snapshot.timestamp)
        body(snapshot, transaction)
    client.repo.commit([transaction])


def delete(client: Client, *names: str) -> None:
    def fill(snapshot: Snapshot, transaction: Transaction) -> None:
        for name in names:
            transaction.delete(TABLE, key_of(name), GROUP)
            transaction.companions[Cell(TABLE, key_of(name), OTHER_GROUP)] = client.tag()
            transaction.delete_index(ENTRIES, b"x" + key_of(name))

    client.transact(fill)
