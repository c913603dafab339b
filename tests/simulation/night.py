"""The night after a run with garbage: all is quiet, and each rule of the collector is tried in a scene of its own, with
a stop at the very moment at which it would go wrong."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from proto.errors import UnavailableError
from repo.api import OutcomeKind, Snapshot, Transaction
from repo.hbase.names import column_of
from repo.hbase.state_cell import OracleState
from repo.oracle.port import TIMESTAMP_STEP, CommitRequest, Fate
from tests.simulation import product
from tests.simulation.actors.asker import told_of
from tests.simulation.actors.client import ENTRIES, GROUP, LATEST, OTHER_GROUP, TABLE, Client, key_of
from tests.simulation.dusk import Scene, at_once, fill
from tests.simulation.faults.plan import CALM
from tests.simulation.oracles import BEGIN
from tests.simulation.scheduler import Process

SCENES = 3
"""Of a run."""
HOUR_MS = 3_600_000.0
LEASES_ENDED_MS = 3 * HOUR_MS
"""Also of those whose clocks are ahead."""
STOP_MS = 60.0
"""Enough for somebody to collect, and below the age of a transaction."""
SLOW_MS = 4.0 * product.SETTLED_MS
"""Enough for what was written meanwhile to grow old."""
IDS_MAX = 30_000
NAMES = product.NAMES
DATA = NAMES.data(TABLE)
PAIR = ("pair.0", "pair.1")
PUT_CALL, COMMIT_CALL = 3, 4
"""Of a client that has its snapshot, and writes: after the catalog, and an id."""


class Night(Scene):
    def fall(self, take_over: Callable[[], None]) -> None:
        """In a calm network. take_over: another oracle leads, and remembers nothing."""
        self._take_over = take_over
        self._scheduler.now_ms += LEASES_ENDED_MS
        self._at(0, "other", lambda client: self._write(client, "moon"))
        self._at(10, "sweeper", collect)
        self._rest()
        scenes = (
            self._a_slow_collector,
            self._a_slow_writer,
            self._a_pair_under_the_dead,
            self._a_slow_cover,
            self._a_late_copy,
            self._a_slow_reader,
            self._a_slow_oracle,
            self._a_slow_reader_of_the_latest,
            self._a_slow_settler,
            self._a_slow_flush,
            self._a_collector_of_yesterday,
            self._a_settled_client,
            self._at_the_ceiling,
            self._a_slow_historian,
            self._an_old_id,
            self._a_table_away,
        )
        for scene in sorted(self._random.sample(scenes, SCENES), key=scenes.index):  # the first needs a clean table
            scene()
            self._rest()
        self._at(0, "looker", self._look)
        self._rest()
        self._at(0, "auditor", self._settle_all)
        self._rest()
        if self._random.random() < 0.25:
            self._a_list_in_part()
            self._rest()

    # scenes

    def _a_slow_writer(self) -> None:
        """Puts its cells when dead ones above them may be deleted, and the commit table swept beyond its id; and dies,
        before its shadow cells."""
        if self._random.random() < 0.5:
            self._at(0, "dead", lambda client: die_over(client, "gorge"))
            self._settle()
        self._at(0, "slow", lambda client: self._write(client, "gorge", stop=PUT_CALL, crash=COMMIT_CALL))
        self._at(10, "dead", lambda client: die_over(client, "gorge"))
        self._at(20, "other", lambda client: self._write(client, "moon"))
        self._at(30, "collector", lambda client: collect(client, 1000))
        self._rest()
        self._at(0, "slices", lambda client: collect(client, 2, 2, 1000))

    def _a_pair_under_the_dead(self) -> None:
        """Two rows of one transaction without shadow cells; over one of them lies what nobody commits."""
        self._write_unhealed(*PAIR)
        self._at(0, "dead", lambda client: die_over(client, PAIR[1]))
        self._at(10, "other", lambda client: self._write(client, "moon"))
        self._at(20, "collector", collect)

    def _a_slow_collector(self) -> None:
        """Looks for what is swept meanwhile; and of one of the rows it is collected, too."""
        self._write_unhealed(*PAIR)
        self._at(0, "other", lambda client: self._write(client, "moon"))
        self._rest()
        self._take_over()

        def meanwhile() -> None:
            self._at(0, "other", lambda client: self._write(client, PAIR[0]))
            self._at(20, "collector", collect)

        slow = Process("slow", stop_on=NAMES.commit_table, stop_ms=8 * STOP_MS)
        slow.stopped = lambda: self._scheduler.later(0.0, meanwhile)
        self._at(0, "slow", collect, slow)

    def _a_table_away(self) -> None:
        """Somebody collects again and again, while the table is away in which there is something to be healed."""
        self._write_unhealed("eclipse")
        self._at(0, "other", lambda client: self._write(client, "moon"))
        self._rest()
        self._network.takes_away(DATA, HOUR_MS)
        self._at(0, "collector", collect_what_is_there)
        self._rest()
        self._network.away.clear()

    def _a_slow_cover(self) -> None:
        """A row's first cell was deleted, its companion was not; both are written while the companion is covered."""
        self._at(0, "early", lambda client: write_all(client, "ghost"))
        self._at(10, "early", lambda client: delete(client, "ghost"))
        self._at(20, "dead", lambda client: die_over(client, "ghost"))
        self._settle()
        self._at(0, "other", lambda client: self._write(client, "moon"))
        self._at(20, "slow", collect, Process("slow", stop_on=BEGIN, stop_ms=STOP_MS))
        self._at(50, "other", lambda client: write_all(client, "ghost"))

    def _a_late_copy(self) -> None:
        """A cell is written, deleted, collected and forgotten, while a copy of it is on its way still."""
        self._at(0, "burier", self._bury)

    def _a_slow_reader(self) -> None:
        """Its snapshot grows too old while it reads."""
        self._at(0, "early", lambda client: write_all(client, "sun"))
        self._at(10, "reader", self._look_slowly)
        self._at(20, "other", lambda client: write_all(client, "sun"))
        self._at(30, "collector", collect)

    def _a_slow_oracle(self) -> None:
        """Looks for what it does not remember; meanwhile that is swept, at times exactly up to it."""
        self._write_unhealed("dawn")
        (attempt,) = self._recorder.history.attempts[-1:]
        self._at(0, "other", lambda client: self._write(client, "moon"))
        self._rest()
        self._take_over()
        self._rest()
        for leader in self._oracles()[-1:]:
            leader.stop_on, leader.stop_ms = NAMES.commit_table, STOP_MS
        up_to = [*(id + product.SETTLED_MS * 1_000_000 for id in attempt.ids), 2**62]
        before = self._random.choice(up_to)
        collector = Process("collector", stop_on=NAMES.gc, stop_ms=20.0)
        self._at(0, "collector", lambda client: collect(client, 1000, before=before), collector)
        for ms in (10, 200):
            self._at(ms, "asker", lambda client: told_of(client, attempt.ids))

    def _a_slow_reader_of_the_latest(self) -> None:
        """What it passes over is committed meanwhile, and what lies below is collected."""
        self._at(0, "early", lambda client: self._write_latest(client))
        self._at(10, "slow", lambda client: self._write_latest(client, stop=COMMIT_CALL))
        self._at(20, "reader", self._read_latest_slowly)
        self._at(85, "collector", lambda client: collect(client, 1000))

    def _a_slow_settler(self) -> None:
        """Asks what became of a transaction that is swept; and of its only version, which is collected meanwhile."""
        self._network.plan = replace(CALM, lost_outcome=1.0)
        self._at(0, "unsure", self._write_unsurely)
        self._settle()
        self._at(0, "other", lambda client: self._write(client, "moon"))
        self._at(10, "collector", collect)
        self._rest()
        self._take_over()
        self._at(10, "settler", self._settle_slowly)
        self._at(20, "other", lambda client: self._write(client, "fog"))
        self._at(30, "collector", collect)

    def _a_slow_flush(self) -> None:
        """While a commit is in flight somebody wants to see as far as an id that was given out after it."""

        def write(client: Client) -> None:
            at_once(client, work)

        def work(snapshot: Snapshot, transaction: Transaction) -> None:
            self._network.pause(NAMES.oracle, STOP_MS)
            transaction.write(TABLE, key_of("sun"), GROUP, b"in flight")

        self._at(0, "hasty", lambda client: client.at_once([partial(write, client), partial(self._look_ahead, client)]))

    def _a_collector_of_yesterday(self) -> None:
        """Comes to the end of its walk when another one has been begun, below which there is more."""

        def meanwhile() -> None:
            self._network.plan = replace(CALM, lost_shadow=1.0, late_shadow=0.0)
            self._at(0, "early", lambda client: self._write(client, "dawn"))
            self._scheduler.later(SLOW_MS / 2, calm)
            self._at(int(0.8 * SLOW_MS), "other", lambda client: self._write(client, "moon"))
            self._at(int(0.9 * SLOW_MS), "new", collect, Process("new", stop_on=DATA, stop_ms=SLOW_MS))

        def calm() -> None:
            self._network.plan = CALM

        slow = Process("slow", stop_on=NAMES.data(ENTRIES), stop_ms=SLOW_MS)
        slow.stopped = lambda: self._scheduler.later(0.0, meanwhile)
        self._at(0, "slow", collect, slow)
        self._at(int(1.2 * SLOW_MS), "looker", self._look)

    def _a_settled_client(self) -> None:
        """It is told by the successor what became of its transaction, whose flush has not ended at the former one; and
        looks there."""
        self._network.plan = replace(CALM, lost_outcome=1.0, slow_flush=1.0, late_ms_max=20 * SLOW_MS)
        self._at(0, "doubtful", self._write_and_settle)

    def _a_slow_historian(self) -> None:
        """Has read the versions of a cell, and asks when they were committed; meanwhile its tombstone goes."""
        self._at(0, "early", lambda client: self._write(client, "ruin"))
        self._rest()
        self._network.plan = replace(CALM, lost_shadow=1.0, late_shadow=0.0)
        self._at(0, "early", lambda client: delete(client, "ruin"))
        self._settle()
        self._at(0, "other", lambda client: self._write(client, "moon"))
        self._rest()
        historian = Process("historian", stop_on=NAMES.commit_table, stop_ms=2 * STOP_MS)
        self._at(0, "historian", lambda client: client.repo.snapshot().history(TABLE, GROUP, key_of("ruin")), historian)
        self._at(20, "collector", lambda client: collect(client, 1000, 1000, 1000))

    def _an_old_id(self) -> None:
        """The leader's clock goes back; ids grow old all the same."""
        self._at(0, "late", self._commit_what_is_old)

    def _at_the_ceiling(self) -> None:
        """Ids are wanted up to the ceiling, or as far as the one below it, or beyond."""
        self._at(0, "greedy", self._take_ids_up_to_the_ceiling)

    def _a_list_in_part(self) -> None:
        """Some of it is committed; some is to be tried again, and the table is away."""
        self._network.plan = replace(CALM, away_then=1.0)
        self._at(0, "lister", self._commit_list)

    # what happens in them

    def _at(self, ms: int, name: str, work: Callable[[Client], None], process: Process | None = None) -> None:
        """Somebody does something, so much later."""

        def wait(client: Client) -> None:
            self._scheduler.sleep(ms)
            work(client)

        self._start(name, wait, process)

    def _rest(self) -> None:
        """Until all is quiet."""
        self._scheduler.run()
        self._network.plan = CALM

    def _settle(self) -> None:
        """No write of before lands any more."""
        self._rest()
        self._scheduler.now_ms += 1.5 * product.SETTLED_MS

    def _write_unhealed(self, *names: str) -> None:
        """Its shadow cells are lost; long ago."""
        self._network.plan = replace(CALM, lost_shadow=1.0, late_shadow=0.0)
        self._at(0, "early", lambda client: self._write(client, *names))
        self._settle()

    def _write(self, client: Client, *names: str, stop: int | None = None, crash: int | None = None) -> None:
        def work(snapshot: Snapshot, transaction: Transaction) -> None:
            self._spoil(client.process, stop, crash)
            for name in names:
                transaction.write(TABLE, key_of(name), GROUP, client.tag())

        at_once(client, work)

    def _write_latest(self, client: Client, stop: int | None = None) -> None:
        def work(snapshot: Snapshot, transaction: Transaction) -> None:
            self._spoil(client.process, stop)
            transaction.write(LATEST, key_of("latest"), GROUP, client.tag())

        at_once(client, work)

    def _spoil(self, process: Process, stop: int | None = None, crash: int | None = None) -> None:
        """Stops it, and lets it crash, in so many calls from now on."""
        process.stop_at, process.stop_ms = stop and process.calls + stop, STOP_MS
        process.crash_at = crash and process.calls + crash

    def _bury(self, client: Client) -> None:
        began_ms, key, value = client.scheduler.now_ms, key_of("buried"), client.tag()
        at_once(client, lambda snapshot, transaction: transaction.write(TABLE, key, GROUP, value))
        (attempt,) = client.repo.history.attempts[-1:]
        lands_ms = began_ms + self._random.uniform(0.2, 0.9) * product.SETTLED_MS
        for id in attempt.ids:
            copy = {key: {column_of(GROUP): value}}
            client.cells.lands_later(DATA, id, copy, lands_ms - client.scheduler.now_ms)
        at_once(client, lambda snapshot, transaction: transaction.delete(TABLE, key, GROUP))
        collect(client)
        self._compact()

    def _look(self, client: Client) -> None:
        """Before a compaction, which may bring to light what was deleted."""
        with client.repo.snapshot() as snapshot:
            self._read(snapshot)

    def _commit_list(self, client: Client) -> None:
        """One that is fresh; two that share an id, of which one is in conflict."""
        with client.repo.snapshot() as old:
            self._write(client, PAIR[0])
        with client.repo.snapshot() as new:
            members = [Transaction(snapshot.timestamp) for snapshot in (new, old, old)]
        for member, name in zip(members, ("sun", *PAIR), strict=True):
            member.write(TABLE, key_of(name), GROUP, client.tag())
        client.repo.commit(members)

    def _look_ahead(self, client: Client) -> None:
        self._scheduler.sleep(11.0)
        (begun,) = client.oracle.begin(1, client.repo.known)
        with client.repo.snapshot(begun.id) as snapshot:
            snapshot.read(TABLE, GROUP, [key_of("sun")])

    def _look_slowly(self, client: Client) -> None:
        snapshot = client.repo.snapshot()
        keys = [key_of("sun")]
        ways: Sequence[tuple[str, Callable[[], object]]] = (
            (NAMES.data(ENTRIES), lambda: snapshot.scan_prefixes(ENTRIES, [b"x", b"y"], limit_each=1000)),
            (NAMES.data(ENTRIES), lambda: snapshot.scan_prefixes(ENTRIES, [b"x" + keys[0]], limit_each=1000)),
            (DATA, lambda: snapshot.scan(TABLE, GROUP)),
            (DATA, lambda: snapshot.read(TABLE, GROUP, keys)),
            (DATA, lambda: snapshot.history(TABLE, GROUP, keys[0])),
        )
        client.process.stop_on, look = self._random.choice(ways)
        client.process.stop_ms = STOP_MS
        look()

    def _read_latest_slowly(self, client: Client) -> None:
        """Stopped before it steps down: after the catalog, the row, the commit table, and the row's shadow cell."""
        with client.repo.snapshot() as snapshot:
            client.process.stop_at, client.process.stop_ms = client.process.calls + 5, 2 * STOP_MS
            self._random.choice(
                (lambda: snapshot.read(LATEST, GROUP, [key_of("latest")]), lambda: snapshot.scan(LATEST, GROUP))
            )()

    def _write_unsurely(self, client: Client) -> None:
        with client.repo.snapshot() as snapshot:
            transaction = Transaction(snapshot.timestamp)
        for name in self._random.choice((("fog",), ("fog",), ("fog", "mist"))):
            transaction.write(TABLE, key_of(name), GROUP, client.tag())
        self._commit(client, transaction)

    def _write_and_settle(self, client: Client) -> None:
        self._write_unsurely(client)
        self._network.plan = CALM
        for leader in self._oracles()[-1:]:
            leader.skew_ms -= HOUR_MS  # so it stays below its ceiling
        self._take_over()
        self._scheduler.sleep(STOP_MS)
        for asker, transaction, outcome in self._unsettled[-1:]:
            asker.repo.settle(transaction, outcome)
        self._network.plan = replace(CALM, zombie=1.0)
        try:
            with client.repo.snapshot() as snapshot:
                self._read(snapshot)
        finally:
            self._network.plan = CALM

    def _commit_what_is_old(self, client: Client) -> None:
        (begun,) = client.oracle.begin(1, client.repo.known)
        for leader in self._oracles()[-1:]:
            leader.skew_ms -= HOUR_MS
        for _ in range(3):
            self._scheduler.sleep(0.6 * product.AGE_MS_MAX)
            client.oracle.begin(1, client.repo.known)
        (decision,) = client.oracle.commit([CommitRequest(begun.id, begun.snapshot, (begun.id,))])
        if decision.kind is OutcomeKind.COMMITTED:
            client.failures.append(f"{begun} is committed, and too old")

    def _settle_all(self, client: Client) -> None:
        """Whoever finds its own version there must be told that it is committed, and whom the oracle refuses, so. (The
        same bytes may be a cover of it, which was put long after.)"""
        for asker, transaction, outcome in self._unsettled:
            settled = asker.repo.settle(transaction, outcome)
            refused = {one.fate for one in asker.oracle.settled} == {Fate.ABORTED}
            if refused and settled.kind is OutcomeKind.UNKNOWN:
                client.failures.append(f"{transaction} is refused, and its client is not told")
            with client.repo.snapshot() as snapshot:
                for table, key, group in transaction.writes:
                    (found,) = snapshot.read(table, group, [key])
                    own = found is not None and found.commit_timestamp in asker.repo.commit_timestamps(transaction)
                    if own and not settled.committed:
                        client.failures.append(f"{transaction} is there, and nobody can tell what became of it")

    def _take_ids_up_to_the_ceiling(self, client: Client) -> None:
        """Timestamps stand still within a ms."""
        client.oracle.begin(1, client.repo.known)
        (stored,) = client.cells.versions(NAMES.oracle, b"oracle", b"s:state", None, 1)
        ceiling = OracleState.decoded(stored.value).ceiling
        now_ms = client.clock.now_ms()
        self._scheduler.sleep(max(0.0, ceiling / 1_000_000 - now_ms - 1.0))
        (begun,) = client.oracle.begin(1, client.repo.known)
        left = (ceiling - begun.id) // TIMESTAMP_STEP
        if 0 < left <= IDS_MAX:
            client.oracle.begin(left + self._random.choice((-1, 0, 0, 1)), client.repo.known)

    def _settle_slowly(self, client: Client) -> None:
        """Stopped between its two looks at the row: whether it is committed, whether it is there."""
        for asker, transaction, outcome in self._unsettled:
            self._spoil(asker.process, stop=3)
            asker.at_once([partial(asker.repo.settle, transaction, outcome)])


def die_over(client: Client, *names: str) -> None:
    """Leaves cells of a transaction that nobody ever commits."""
    (begun,) = client.oracle.begin(1, client.repo.known)
    columns = {column_of(GROUP): b"dead", column_of(OTHER_GROUP): b"dead"}
    client.cells.put_of_another(DATA, begun.id, {key_of(name): columns for name in names})


def write_all(client: Client, name: str) -> None:
    """A cell, its companion and its entry."""
    at_once(client, partial(fill, client, (name,)))


def delete(client: Client, *names: str) -> None:
    """Their first cells; companions stay."""

    def work(snapshot: Snapshot, transaction: Transaction) -> None:
        for name in names:
            transaction.delete(TABLE, key_of(name), GROUP)

    at_once(client, work)


def collect(client: Client, *limits: int, before: int = 2**62) -> None:
    """All that there is, unless `before` is given; twice, as the first one may come to the end of somebody's walk."""
    for limit in limits or (1000, 1000):
        client.repo.collect_garbage(before, limit)


def collect_what_is_there(client: Client) -> None:
    """Twice along all tables, while one is away: there it fails twice before it goes on behind it."""
    for _ in range(8):
        with suppress(UnavailableError):
            client.repo.collect_garbage(2**62, 1000)
