"""The stage: clients and oracles over the in-memory twin of HBase, each stopped at the call that a script names."""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from proto.errors import AdsIndexError, TooOldError, UnavailableError
from repo.api import OutcomeKind, Snapshot, Transaction
from repo.hbase.memory import MemoryCells
from repo.hbase.repo import HbaseRepo
from repo.oracle.frames import BeginRequest, BegunRange, Frame, Replies
from repo.oracle.oracle import Oracle
from repo.oracle.port import Begun, CommitRequest, Decision, Resolution
from tests.simulation import product
from tests.simulation.actors.client import GROUP, TABLE, TABLES
from tests.simulation.checkers.timestamps import Timestamps
from tests.simulation.oracles import Asked, OracleHost
from tests.simulation.scheduler import Process, ProcessClock, Promise, Scheduler

NOUNS = {product.NAMES.commit_table: "commit table", product.NAMES.oracle: "chain", product.NAMES.gc: "gc state"}
VERBS = {"put": "puts", "get": "gets", "delete": "deletes", "check_and_put": "swaps", "scan": "scans", "ask": "asks"}
DONE = {"puts": "put", "gets": "got", "deletes": "deleted", "swaps": "swapped", "scans": "scanned", "asks": "asked"}


class Gates:
    """Where tasks wait until the script lets them go on. stops: process -> at what ("L1 puts commit table")."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.stops: dict[str, str] = {}
        self.closed: dict[str, Promise] = {}

    def passing(self, call: str, name: str) -> Any:
        """What the script gives for an answer; None: the real one. Raises what it gives for an error."""
        for owner, stop in list(self.stops.items()):
            if stop == call:
                del self.stops[owner]
                self.closed[name] = Promise(self._scheduler)
                return self.closed[name].wait()
        return None

    def call(self, name: str, verb: str, noun: str, make: Callable[[], Any]) -> Any:
        """A call that may be stopped before it, or when it is done."""
        self.passing(f"{name} {VERBS[verb]} {noun}", name)
        found = make()
        told = self.passing(f"{name} has {DONE[VERBS[verb]]} {noun}", name)
        return found if told is None else told


class GatedCells:
    """repo.hbase.cells.Cells and Tables of one process."""

    def __init__(self, cells: MemoryCells, name: str, gates: Gates) -> None:
        self._cells, self._name, self._gates = cells, name, gates

    def __getattr__(self, verb: str) -> Any:
        call, verb = getattr(self._cells, verb), verb.removesuffix("_soon")
        if verb not in VERBS:
            return call

        def gated(table: str, *arguments: Any, **named: Any) -> Any:
            noun = NOUNS.get(table, "data")
            if verb == "put" and all(b":\0" in column for row in arguments[1].values() for column in row):
                noun = "shadows"
            return self._gates.call(self._name, verb, noun, lambda: call(table, *arguments, **named))

        return gated


class GatedOracle:
    """repo.oracle.port.TimestampOracle of one client. host: whom it follows."""

    def __init__(self, name: str, gates: Gates, scheduler: Scheduler) -> None:
        self._name, self._gates, self._scheduler = name, gates, scheduler
        self.host: OracleHost | None = None
        self.waiting: Promise | None = None

    def snapshot(self, at_least: int = 0) -> int:
        return self._begun(BeginRequest(0, at_least)).snapshot

    def begin(self, count: int = 1, at_least: int = 0) -> list[Begun]:
        return self._begun(BeginRequest(count, at_least)).expanded()

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        try:
            return self._ask(Frame(commits=tuple(requests)), "commit").commits
        except UnavailableError:
            return [Decision(OutcomeKind.UNKNOWN)] * len(requests)

    def resolve(self, ids: Sequence[int]) -> list[Resolution]:
        return self._ask(Frame(resolves=tuple(ids))).resolves

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        return self._ask(Frame(settles=tuple(ids))).settles

    def _begun(self, request: BeginRequest) -> BegunRange:
        (begun,) = self._ask(Frame(begins=[request])).begins
        if begun is None:
            raise UnavailableError("it does not reach so far")
        return begun

    def _ask(self, frame: Frame, noun: str = "oracle") -> Replies:
        def make() -> Replies:
            assert self.host is not None
            self.waiting = Promise(self._scheduler)
            self.host.deliver(Asked(frame, self.waiting))
            replies: Replies = self.waiting.wait()
            return replies

        answer: Replies = self._gates.call(self._name, "ask", noun, make)
        return answer


class Client:
    """A process with a Repo, a snapshot and a transaction."""

    def __init__(self, name: str, stage: "Stage") -> None:
        self.process = Process(name)
        self.oracle = GatedOracle(name, stage.gates, stage.scheduler)
        cells: Any = GatedCells(stage.cells, name, stage.gates)
        clock = ProcessClock(stage.scheduler, self.process, start_ms=0.0)
        self.make = lambda: HbaseRepo(cells, cells, self.oracle, clock, name.encode(), product.settings())
        self.repo: HbaseRepo | None = None
        self.snapshot: Snapshot | None = None
        self.transaction = Transaction(0)

    def does(self, words: list[str]) -> str | None:
        """One step; what is to be shown."""
        if self.repo is None:
            self.repo = self.make()
            self.repo.declare(TABLES)
        try:
            told: str | None = getattr(self, f"_{words[0]}")(self.repo, *words[1:])
            return told
        except TooOldError:
            return "too old"
        except AdsIndexError as error:
            return type(error).__name__

    def _begins(self, repo: HbaseRepo) -> None:
        self.snapshot = repo.snapshot()
        self.transaction = Transaction(self.snapshot.timestamp)

    def _reads(self, repo: HbaseRepo, key: str) -> str:
        assert self.snapshot is not None
        (found,) = self.snapshot.read(TABLE, GROUP, [key.encode()])
        return "nothing" if found is None or found.value is None else found.value.decode()

    def _writes(self, repo: HbaseRepo, *cells: str) -> None:
        for key, _, value in (one.partition("=") for one in cells):
            self.transaction.write(TABLE, key.encode(), GROUP, value.encode())

    def _commits(self, repo: HbaseRepo) -> str:
        (outcome,) = repo.commit([self.transaction])
        return outcome.kind.value

    def _leases(self, repo: HbaseRepo) -> None:
        assert self.snapshot is not None
        self.lease = repo.lease(self.snapshot, 3600)
        self.lease.__enter__()

    def _collects(self, repo: HbaseRepo) -> None:
        repo.collect_garbage(repo.last_timestamp())


class Stage:
    """Runs a script; its output stands behind the steps that made it."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(Random(0))
        self._timestamps = Timestamps([], product.AGE_MS_MAX, lambda: self.scheduler.now_ms)
        self.gates = Gates(self.scheduler)
        self.cells = MemoryCells(ProcessClock(self.scheduler, Process("server")))
        self._hosts: dict[str, OracleHost] = {}
        self._clients: dict[str, Client] = {}
        self._shown: list[str] = []

    def run(self, script: str) -> str:
        """The script with its real output in place of the one that it holds."""
        lines: list[str] = []
        for line in script.split("\n"):
            if not line.startswith(">"):
                self._shown = []
                if line and not line.startswith("#"):
                    self._step(line)
                lines += [line, *(f"> {shown}" for shown in self._shown)]
        return "\n".join(lines)

    def _step(self, line: str) -> None:
        step, _, until = line.partition(", until ")
        name, *words = step.replace(",", "").split()
        if until:
            self.gates.stops[name] = until
        if name == "oracle":
            self._oracle(words[0], until)
        elif words[0] == "ms":
            self.scheduler.now_ms += float(name)
        elif words[:2] == ["goes", "on"]:
            self.gates.closed.pop(name).keep(ANSWERS[" ".join(words[2:])])
        elif words == ["gives", "up", "waiting"]:
            waiting = self._client(name).oracle.waiting
            assert waiting is not None
            waiting.keep(UnavailableError("it gave up"))
        elif words[0] == "follows":
            self._client(name).oracle.host = self._hosts[words[1]]
        elif words[0] == "crashes":
            self._clients.pop(name)
            self.gates.closed.pop(name, None)
        else:
            client = self._client(name)
            self.scheduler.spawn(client.process, lambda: self._show(name, client.does(words)))
        self.scheduler.run()
        assert until not in self.gates.stops.values(), f"nobody came to: {until}"

    def _oracle(self, name: str, until: str) -> None:
        process = Process(name)
        cells: Any = GatedCells(self.cells, name, self.gates)
        clock = ProcessClock(self.scheduler, process, start_ms=0.0)

        def make() -> Oracle:
            return product.oracle(cells, clock, product.nonce(name), lambda attempt: self.scheduler.sleep(1.0))

        def leads(host: OracleHost) -> None:
            assert host.oracle is not None
            self._show(name, f"leads, epoch {host.oracle.epoch}")
            self._timestamps.durable(host.oracle.epoch, 2**62)  # the script judges, and nobody tells of ceilings here
            for client in self._clients.values():
                client.oracle.host = host

        fenced = lambda host: self._show(name, "is fenced")  # noqa: E731
        self._hosts[name] = host = OracleHost(process, self.scheduler, clock, make, fenced, self._timestamps)
        host.start(leads)

    def _client(self, name: str) -> Client:
        assert re.fullmatch("[A-Z]", name), f"who is {name}?"
        if name not in self._clients:
            client = self._clients[name] = Client(name, self)
            client.oracle.host = [host for host in self._hosts.values() if host.answers or host.fenced][-1]
        return self._clients[name]

    def _show(self, name: str, told: str | None) -> None:
        if told is not None:
            self._shown.append(f"{name}: {told}")


ANSWERS: dict[str, Any] = {"": None, "without an answer": UnavailableError("no answer"), "and is told no": False}
