"""The oracle's service in this process, on a store in memory that tests can hold up or take over; and its clients."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from proto.errors import FencedError
from proto.ports.clock import Clock
from repo.oracle.frames import Decided, Frame
from repo.oracle.grpc_service import OracleService
from repo.oracle.leader import Leader
from repo.oracle.memory import MemoryCommitTable
from repo.oracle.oracle import Oracle
from repo.oracle.state_machine import OracleLimits
from repo.oracle.storage import Batch, OracleStorage, Taken
from tests.support.engines import ManualClock

PATIENCE_S = 60.0


class Gate:
    """Who goes through it waits while it is held. sizes: of each that was let through."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()
        self.arrived = threading.Semaphore(0)
        self.sizes: list[int] = []

    def pass_through(self, size: int) -> None:
        self.arrived.release()
        assert self._free.wait(PATIENCE_S)
        self.sizes.append(size)

    @contextmanager
    def held(self) -> Iterator[None]:
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()


class SharedChain:
    """A state chain in memory for several owners, one after the other, as the state cell is."""

    def __init__(self) -> None:
        self.owner: OwnChain | None = None
        self.ceiling = 0
        self.batch: Batch = ()


class OwnChain:
    """repo.oracle.storage.StateChain of one of them."""

    def __init__(self, shared: SharedChain) -> None:
        self._shared = shared

    def take_over(self, now: int, window: int) -> Taken:
        shared, epoch = self._shared, self._shared.ceiling
        shared.owner, shared.ceiling = self, max(epoch, now) + window
        return Taken(epoch, shared.ceiling, shared.batch)

    def advance(self, ceiling: int, batch: Batch) -> None:
        if self._shared.owner is not self:
            raise FencedError("another oracle has taken over")
        self._shared.ceiling, self._shared.batch = ceiling, batch


class HeldTable(MemoryCommitTable):
    """puts, look_ups: where they wait before they happen."""

    def __init__(self) -> None:
        super().__init__()
        self.puts, self.look_ups = Gate(), Gate()

    def put(self, batch: Batch) -> None:
        self.puts.pass_through(len(batch))
        super().put(batch)

    def look_up(self, ids: Sequence[int]) -> dict[int, int]:
        self.look_ups.pass_through(len(ids))
        return super().look_up(ids)


class CountingOracle(Oracle):
    """Keeps the frames that it was given."""

    def __init__(self, storage: OracleStorage, clock: Clock) -> None:
        super().__init__(storage, clock, OracleLimits(cells_max=10_000), guard=threading.Lock())
        self.frames: list[Frame] = []

    def frame(self, frame: Frame) -> Decided:
        self.frames.append(frame)
        return super().frame(frame)


class Published:
    """repo.oracle.leader.Leaders: whoever the test names."""

    def __init__(self) -> None:
        self._leader: Leader | None = None
        self._changed: list[Callable[[], None]] = []

    def current(self) -> Leader | None:
        return self._leader

    def subscribe(self, changed: Callable[[], None]) -> None:
        self._changed.append(changed)

    def publish(self, leader: Leader | None) -> None:
        self._leader = leader
        for changed in self._changed:
            changed()


class Store(Protocol):
    """What oracles share."""

    def storage(self) -> OracleStorage:
        """For one more candidate."""
        ...


@dataclass
class MemoryStore:
    """Store, in memory."""

    table: HeldTable = field(default_factory=HeldTable)
    chain: SharedChain = field(default_factory=SharedChain)

    def storage(self) -> OracleStorage:
        return OracleStorage(OwnChain(self.chain), self.table)


class Served:
    """An oracle and its service, which leads from `lead` to `step_down`, in a thread of its own."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self.store, self._clock = store, clock or ManualClock()
        self.wanted = True
        self.error: Exception | None = None
        self.service = OracleService()
        self.address = self.service.start("127.0.0.1", 0)
        self.thread = threading.Thread(target=self._lead)

    def lead(self) -> Leader:
        """Takes over."""
        self.oracle = CountingOracle(self.store.storage(), self._clock)
        self.thread.start()
        return Leader(self.address, self.oracle.epoch)

    def step_down(self) -> None:
        self.wanted = False
        self.service.look()
        self.thread.join(PATIENCE_S)

    def close(self) -> None:
        if self.thread.ident is not None:
            self.step_down()
        self.service.stop()

    def _lead(self) -> None:
        try:
            self.service.lead(self.oracle, lambda: self.wanted)
        except Exception as error:
            self.error = error


@contextmanager
def served(store: Store, clock: Clock | None = None) -> Iterator[Served]:
    """Not leading yet. clock: without, it stands still."""
    one = Served(store, clock)
    try:
        yield one
    finally:
        one.close()


def until(condition: Callable[[], bool]) -> None:
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)
