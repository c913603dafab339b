"""One run: oracles, clients and faults, from the first take-over to the last look at everything."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from proto.errors import TooOldError, UnavailableError
from repo.hbase.memory import MemoryCells
from repo.hbase.state_cell import OracleState
from repo.oracle.oracle import Oracle
from tests.simulation import argus_process, product
from tests.simulation.actors.client import TABLES, Actor, Client
from tests.simulation.actors.garbage import collect
from tests.simulation.checkers.history import Told
from tests.simulation.checkers.timestamps import Timestamps
from tests.simulation.dusk import Dusk
from tests.simulation.faults import nemesis
from tests.simulation.faults.cells import FaultyCells
from tests.simulation.faults.network import Network
from tests.simulation.faults.plan import CALM, Plan
from tests.simulation.night import Night
from tests.simulation.oracles import FaultyOracle, Leaders, OracleHost
from tests.simulation.recorder import RecordedRepo, Recorder
from tests.simulation.scheduler import Process, ProcessClock, Scheduler
from tests.simulation.topics import DocumentsTopic, Topics

DURATION_MS = 150.0
"""About what the actors of a run need."""
CALLS_UNTIL_CRASH_MAX = 60
RESTART_MS_MAX = 30.0


class WatchedCells(MemoryCells):
    """Tells the recorder of each commit that lands, the write-ahead log of everything, and the judge of what an oracle
    may give out."""

    recorder: Recorder
    topics: Topics
    timestamps: Timestamps

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        super().put(table, timestamp, rows)
        self.recorder.stored(table, rows)
        self.topics.landed(table, timestamp, rows)

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        done = super().check_and_put(table, row, column, expected, value)
        if done and table == product.NAMES.oracle:
            state = OracleState.decoded(value)
            self.timestamps.durable(state.epoch, state.ceiling)
        if done and table == product.NAMES.gc:
            self.recorder.watermark = product.gc_watermark(value)
        return done


class World:
    """clients: how many work at once, `steps` steps each. failures: what actors found wrong.

    crash: "client" or "oracle" -> the call in which the first of them crashes; beside what the plan has.
    """

    def __init__(
        self,
        seed: int,
        plan: Plan,
        actors: Sequence[Actor],
        clients: int = 3,
        steps: int = 5,
        crash: Mapping[str, int] | None = None,
    ) -> None:
        self.random = Random(seed)
        self.scheduler = Scheduler(self.random)
        self.network = Network(self.scheduler, CALM)
        self.failures: list[str] = []
        self.leaders = Leaders()
        self._timestamps = Timestamps(self.failures, product.AGE_MS_MAX, lambda: self.scheduler.now_ms)
        self._plan, self._actors, self._steps = plan, actors, steps
        self._cells = WatchedCells(ProcessClock(self.scheduler, Process("server")))
        self._cells.recorder = self.recorder = Recorder(self.scheduler, [*TABLES, *argus_process.tables()])
        self._cells.timestamps = self._timestamps
        self._cells.topics = self.topics = Topics(self.network)
        self._oracles: list[Process] = []
        self._clients: list[Process] = []
        self._working = clients
        self._crash = crash or {}

    def run(self) -> None:
        """The calm before, the faults, and the calm after, in which everything late arrives and is looked at."""
        try:
            self._acts()
        finally:
            self.scheduler.end()

    def _acts(self) -> None:
        self.new_oracle()
        self._start("setup", self._prepare)
        self.scheduler.run()
        self.network.plan = self._plan
        nemesis.loose(self, DURATION_MS * self._plan.pace)
        crashes = self.random.sample(range(self._working), min(self._plan.client_crashes, self._working))
        for number in range(self._working):
            crash_at = self.random.randint(1, CALLS_UNTIL_CRASH_MAX) if number in crashes else None
            if number == 0:
                crash_at = self._crash.get("client", crash_at)
            self._start_client(f"c{number}", self._steps, crash_at)
        if "oracle" in self._crash:
            (leader,) = self.oracles()
            leader.crash_at = leader.calls + self._crash["oracle"]
        self.scheduler.run(until=lambda: self._working == 0)
        at_hand = (self.scheduler, self.network, self.recorder, self._start, self.compact, self.oracles)
        if self._plan.garbage:
            Dusk(*at_hand).fall(self._plan)
        self.network.plan = CALM
        self.network.away.clear()
        self.new_oracle()
        self.scheduler.run()
        if self._plan.garbage:
            Night(*at_hand).fall(self.new_oracle)
        self.compact()
        self._start("judge", self._finish)
        self.scheduler.run()

    # what the nemesis spoils

    def clients(self) -> list[Process]:
        return [process for process in self._clients if process.alive]

    def oracles(self) -> list[Process]:
        leaders = [host.process for host in self.leaders.hosts]
        others = [process for process in self._oracles if process not in leaders]
        return [process for process in (*others, *leaders) if process.alive]

    def tables(self) -> list[str]:
        names = product.NAMES
        return [names.commit_table, names.oracle, names.gc, *(names.data(spec.name) for spec in TABLES)]

    def new_oracle(self) -> None:
        process = Process(f"oracle{len(self._oracles)}")
        self._oracles.append(process)
        self.recorder.one_oracle = len(self._oracles) == 1
        cells, clock = FaultyCells(self._cells, process, self.network, self.recorder), self._clock(process)

        def make() -> Oracle:
            return product.oracle(cells, clock, product.nonce(process.name), self._pause, self._plan)

        host = OracleHost(process, self.scheduler, clock, make, self._resigned, self._timestamps)
        process.crashed = lambda: self._crashed(host)
        host.start(self.leaders.published)

    def _resigned(self, host: OracleHost) -> None:
        """Nobody may be fenced while the chain is still its own: then nobody would lead."""
        (stored,) = self._cells.versions(product.NAMES.oracle, b"oracle", b"s:state", None, 1)
        if product.nonce(host.process.name) in stored.value:
            self.failures.append(f"{host.process.name} says that it is fenced, and the chain is its own")

    def _crashed(self, host: OracleHost) -> None:
        """Its clients notice, and another one is started."""
        host.hang_up()
        self.scheduler.later(self.random.uniform(0.0, RESTART_MS_MAX), self.new_oracle)

    def collect(self) -> None:
        """Somebody collects, right now; sometimes he does not come to the end of it."""
        name = f"g{len(self._clients)}"
        process = Process(name, crash_at=self.random.choice((None, self.random.randint(1, 50))))
        self._start(name, collect, process)

    def compact(self) -> None:
        flushed = self.random.random() < 0.5
        self._cells.compact(flushed)
        self.scheduler.trace.add("server", "compacts, flushed: {}", flushed)

    # clients

    def _start_client(self, name: str, steps: int, crash_at: int | None) -> None:
        process = Process(name, crash_at=crash_at)
        left = [steps]

        def work(client: Client) -> None:
            while left[0]:
                left[0] -= 1
                self._one_step(client)

        def ended() -> None:
            if left[0]:
                self.scheduler.later(
                    self.random.uniform(0.0, RESTART_MS_MAX), lambda: self._start_client(f"{name}'", left[0], None)
                )
            else:
                self._working -= 1

        self._start(name, work, process, ended)

    def _start(
        self,
        name: str,
        work: Callable[[Client], None],
        process: Process | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        process = process or Process(name)
        self._clients.append(process)
        cells = FaultyCells(self._cells, process, self.network, self.recorder)
        oracle = FaultyOracle(self.leaders, process, self.network)

        def live() -> None:
            clock, documents = self._clock(process), DocumentsTopic(self.topics, process, self.network)
            repo = product.repo(cells, oracle, clock, name.encode(), self._plan)
            recorded = RecordedRepo(repo, self.recorder, name)
            chance = Random(self.random.random())
            client = Client(
                process, recorded, cells, oracle, self.topics, documents, clock, self.scheduler, chance,
                self.failures, self._plan.pace,
            )  # fmt: skip
            self._until_it_works(lambda: recorded.declare(TABLES))
            try:
                work(client)
            except (UnavailableError, TooOldError) as error:
                self.scheduler.trace.add(name, "gives up: {}", error)

        self.scheduler.spawn(process, live).on_end.append(ended)

    def _one_step(self, client: Client) -> None:
        actor = client.random.choice(self._actors)
        client.rest(10.0)
        try:
            actor.act(client)
        except (UnavailableError, TooOldError) as error:
            self.scheduler.trace.add(client.process.name, "gives up: {}", error)

    def _prepare(self, client: Client) -> None:
        for actor in self._actors:
            actor.prepare(client)

    def _finish(self, client: Client) -> None:
        for actor in self._actors:
            actor.finish(client)
        self._look_at_everything(client)
        self._ask_for_everything()

    def _ask_for_everything(self) -> None:
        """As a dispatcher that comes late to its notifications."""
        ids = self.recorder.ids()
        found = FaultyOracle(self.leaders, Process("dispatcher"), self.network).resolve(ids)
        self.recorder.history.told += [Told("dispatcher", id, one) for id, one in zip(ids, found, strict=True)]

    def _look_at_everything(self, client: Client) -> None:
        """All cells that were ever written or read, as of now and of earlier moments."""
        cells = self.recorder.cells()
        moments = self.recorder.commit_timestamps()
        some = client.random.sample(moments, min(3, len(moments)))
        for moment in (None, *some, *(one - 1 for one in some)):
            try:
                with client.repo.snapshot() if moment is None else client.repo.snapshot_at(moment) as snapshot:
                    for (table, group), keys in cells.items():
                        if group and (moment is None or (table, group) not in self.recorder.newest):
                            snapshot.read(table, group, keys)
            except TooOldError as error:
                if moment is None:
                    self.failures.append(f"the newest snapshot is called too old: {error}")

    def _pause(self, attempt: int) -> None:
        """Of an oracle whose call was not answered."""
        self.scheduler.sleep(self.network.trip_ms() * min(attempt, 10))

    def _until_it_works(self, call: Callable[[], object]) -> None:
        while True:
            try:
                call()
                return
            except UnavailableError:
                self.scheduler.sleep(self.network.trip_ms())

    def _clock(self, process: Process) -> ProcessClock:
        return ProcessClock(self.scheduler, process, tick=self._plan.tick)
