"""Oracles as processes, and the port through which clients reach them: who leads, who only believes it, what gets lost.

An oracle answers in rounds, as its service does: a frame is all that waits. Begins are answered beside it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from proto.errors import FencedError, UnavailableError
from proto.ports.clock import Clock
from repo.api import OutcomeKind
from repo.hbase.names import TableNames
from repo.oracle.frames import BeginRequest, BegunRange, Decided, Frame, Replies
from repo.oracle.oracle import Oracle
from repo.oracle.port import Begun, CommitRequest, Decision, Resolution
from repo.oracle.rounds import merged, shares
from tests.simulation.checkers.timestamps import Timestamps
from tests.simulation.faults.network import Network
from tests.simulation.scheduler import Process, Promise, Scheduler

ATTEMPTS_MAX = 8
TIMEOUT_MS = 150.0
HEARD_MS_MAX = 5.0
"""Until a client knows that its stream is broken, or that somebody else leads."""
DATA = TableNames().data("cells")
SETTLE, BEGIN = "settle", "begin"
"""In place of a table's name, for who is to be stopped when it settles, or asks for ids."""


@dataclass(eq=False)
class Asked:
    """A client's frame, and its answer."""

    frame: Frame
    answer: Promise


class OracleHost:
    """A process that takes over and serves until it is fenced, or crashes. make: the oracle; it blocks while it takes
    over. leads: once it has."""

    def __init__(
        self,
        process: Process,
        scheduler: Scheduler,
        clock: Clock,
        make: Callable[[], Oracle],
        resigned: Callable[["OracleHost"], None],
        timestamps: Timestamps,
    ) -> None:
        """clock: the oracle's own. resigned: called when it says that it was fenced. timestamps: the judge."""
        self.process, self._resigned, self._clock, self._timestamps = process, resigned, clock, timestamps
        self.oracle: Oracle | None = None
        self.fenced = False
        self._scheduler, self._make = scheduler, make
        self._inbox: deque[Asked] = deque()
        self._idle: Promise | None = None
        self._streams: dict[Promise, None] = {}

    @property
    def answers(self) -> bool:
        return self.process.alive and self.oracle is not None and not self.fenced

    def start(self, published: Callable[["OracleHost"], None]) -> None:
        """published: called when it has taken over, and is about to serve."""
        self._scheduler.spawn(self.process, lambda: self._live(published))

    def deliver(self, asked: Asked) -> None:
        """A frame has arrived."""
        self._scheduler.spawn(self.process, lambda: self._receive(asked))

    def listen(self, answer: Promise) -> None:
        """A client waits for this answer; as long as its stream is there."""
        self._streams[answer] = None

    def hang_up(self) -> None:
        """The streams of its clients break: it was killed, or they hear that somebody else leads."""
        for answer in self._streams:
            self._scheduler.later(
                self._scheduler.random.uniform(0.0, HEARD_MS_MAX),
                lambda answer=answer: answer.keep(UnavailableError("the stream broke")),  # type: ignore[misc]
            )
        self._streams.clear()

    def _live(self, published: Callable[["OracleHost"], None]) -> None:
        trace, name = self._scheduler.trace, self.process.name
        try:
            self.oracle = self._make()
            trace.add(name, "takes over, epoch {}", self.oracle.epoch)
            self._timestamps.leads(self.oracle.epoch)
            published(self)
            while True:
                self._round(self.oracle)
        except FencedError:
            self.fenced = True
            trace.add(name, "is fenced")
            self._resigned(self)
        for asked in self._inbox:
            asked.answer.keep(UnavailableError("this oracle does not lead"))

    def _round(self, oracle: Oracle) -> None:
        while not self._inbox:
            self._idle = Promise(self._scheduler)
            self._idle.wait()
        round, self._inbox = self._inbox, deque()
        frame = merged([asked.frame for asked in round])
        now_ms, since_ms = self._clock.now_ms(), self._scheduler.now_ms
        try:
            decided = oracle.frame(frame)
        except FencedError:
            for asked in round:
                asked.answer.keep(UnavailableError("this oracle was fenced"))
            raise
        self._scheduler.trace.add(self.process.name, "answers {}", decided)
        self._timestamps.decided(oracle.epoch, frame, decided.commits, now_ms, self._clock.now_ms())
        self._timestamps.begun(oracle.epoch, decided.begins, now_ms, since_ms)
        for asked, share in zip(round, shares(decided, [asked.frame for asked in round]), strict=True):
            if share.is_all:
                asked.answer.keep(oracle.replies(asked.frame, share))
            else:
                self._scheduler.spawn(self.process, partial(self._look_up, oracle, asked, share))

    def _look_up(self, oracle: Oracle, asked: Asked, decided: Decided) -> None:
        """Beside the rounds."""
        asked.answer.keep(oracle.replies(asked.frame, decided))

    def _receive(self, asked: Asked) -> None:
        if not self.answers or self.oracle is None:
            asked.answer.keep(UnavailableError("this oracle does not lead"))
            return
        if asked.frame.begins and not (asked.frame.commits or asked.frame.resolves or asked.frame.settles):
            try:
                begun = [self.oracle.begin(request) for request in asked.frame.begins]
            except FencedError:
                begun = [None]
            self._timestamps.begun(self.oracle.epoch, begun, self._clock.now_ms(), self._scheduler.now_ms)
            if None not in begun:
                self._scheduler.trace.add(self.process.name, "answers at once {}", begun)
                asked.answer.keep(Replies(begun, [], [], []))
                return
        self._inbox.append(asked)
        if self._idle is not None:
            self._idle.keep()


@dataclass
class Leaders:
    """hosts: all that ever published that they lead, oldest first."""

    hosts: list[OracleHost] = field(default_factory=list)

    def published(self, host: OracleHost) -> None:
        """As in ZooKeeper: a later epoch is never replaced by an earlier one. Who waits for another one hears of it."""
        for other in self.hosts:
            other.hang_up()
        self.hosts.append(host)
        self.hosts.sort(key=lambda one: one.oracle.epoch if one.oracle is not None else 0)


class FaultyOracle:
    """repo.oracle.port.TimestampOracle of one client: follows the leader, sends a commit once.

    settled: what it was told when it settled ids last.
    """

    def __init__(self, leaders: Leaders, process: Process, network: Network) -> None:
        self._leaders, self._process, self._network = leaders, process, network
        self._scheduler = network.scheduler
        self._trace = network.scheduler.trace
        self.settled: list[Resolution] = []

    def snapshot(self, at_least: int = 0) -> int:
        return self._begun(BeginRequest(0, at_least)).snapshot

    def begin(self, count: int = 1, at_least: int = 0) -> list[Begun]:
        return self._begun(BeginRequest(count, at_least)).expanded()

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        plan = self._network.plan
        try:
            decisions = self._ask(Frame(commits=tuple(requests))).commits
        except UnavailableError:
            if self._network.happens(0.5):
                raise  # the port lets it choose
            return [Decision(OutcomeKind.UNKNOWN)] * len(requests)
        if any(one.kind is OutcomeKind.CONFLICT for one in decisions) and self._network.happens(plan.away_then):
            self._network.takes_away(DATA, self._scheduler.random.uniform(5.0, 20.0))
        return decisions

    def resolve(self, ids: Sequence[int]) -> list[Resolution]:
        return self._until_answered(Frame(resolves=tuple(ids))).resolves

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        self.settled = self._until_answered(Frame(settles=tuple(ids))).settles
        return self.settled

    def published_epoch(self) -> int:
        """What Omid's clients find in ZooKeeper."""
        return max((host.oracle.epoch for host in self._leaders.hosts if host.oracle is not None), default=0)

    def _begun(self, request: BeginRequest) -> BegunRange:
        def begun(replies: Replies) -> BegunRange:
            (range,) = replies.begins
            if range is None:
                raise UnavailableError(f"this oracle does not reach {request.at_least}")
            return range

        return begun(self._until_answered(Frame(begins=[request]), begun))

    def _until_answered(self, frame: Frame, check: Callable[[Replies], object] = lambda replies: None) -> Replies:
        attempt = 0
        while True:
            attempt += 1
            try:
                replies = self._ask(frame)
                check(replies)
                return replies
            except UnavailableError:
                if attempt == ATTEMPTS_MAX:
                    raise
                self._scheduler.sleep(self._network.trip_ms() * 2**attempt)

    def _ask(self, frame: Frame) -> Replies:
        network, plan, answer = self._network, self._network.plan, Promise(self._scheduler)
        asks_for_ids = any(request.id_count for request in frame.begins)
        crashes = network.called(self._process, SETTLE if frame.settles else BEGIN if asks_for_ids else "")
        if self._process.stopped_until_ms > self._scheduler.now_ms and not frame.settles:
            self._scheduler.sleep(0.0)  # it sends when it goes on; who settles has sent it already
        host = self._host()
        self._trace.add(self._process.name, "asks {}: {}", host and host.process.name, frame)
        if host is None:
            network.travel(self._process)
            raise UnavailableError("no oracle leads")
        if crashes and network.happens(0.5):
            network.crash(self._process)
        unsure = bool(frame.commits or frame.settles) and network.happens(plan.lost_outcome)
        lost = network.happens(plan.lost_request) or (unsure and network.happens(0.5))
        if not lost:
            told = Promise(self._scheduler) if unsure else answer
            self._scheduler.later(network.trip_ms(), lambda: host.deliver(Asked(frame, told)))
        if crashes:
            network.crash(self._process)
        if lost or unsure or network.happens(plan.lost_answer):
            self._scheduler.later(network.trip_ms(), lambda: answer.keep(UnavailableError("lost")))
        else:
            self._scheduler.later(TIMEOUT_MS, lambda: answer.keep(UnavailableError("too slow")))
        host.listen(answer)
        replies: Replies = answer.wait()
        network.travel(self._process)
        return replies

    def _host(self) -> OracleHost | None:
        """The newest leader; or, when it is confused, any that still answers."""
        hosts = [host for host in self._leaders.hosts if not host.fenced]
        if len(hosts) > 1 and self._network.happens(self._network.plan.zombie):
            former = [host for host in hosts[:-1] if host.answers]
            if former:
                return self._scheduler.random.choice(former)
        return hosts[-1] if hosts and hosts[-1].process.alive else None
