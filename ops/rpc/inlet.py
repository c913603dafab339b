"""Rows that threads of the server hand to the loop: they go into the log in the group of the next pass."""

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence

from gateway.feed import append_units
from ops.engine.backoff import Backoff
from ops.engine.settings import EngineSettings
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.log import Log

WAITING_MAX = 64
"""Batches that wait for the loop; who brings more waits with them, and so does who sends."""

_BATCHES_A_STEP = 16
_HELD_MS = 5.0


class Delivery:
    """The encoded units of one batch, until they are durable, or never will be."""

    def __init__(self, lane: Lane, source: str, table: str, messages: Sequence[bytes]) -> None:
        self.lane, self.source, self.table, self.messages = lane, source, table, messages
        self.failure = ""
        self._settled = threading.Event()

    def settle(self, failure: str = "") -> None:
        self.failure = failure
        self._settled.set()

    def wait(self, seconds: float) -> bool:
        """True once it is settled: durable when `failure` is empty."""
        return self._settled.wait(seconds)


class Inlet:
    """A step, the first of the pass of edits. `offer` is for the server's threads, everything else for the loop's."""

    name = "rpc"

    def __init__(
        self, log: Log, has_room: Callable[[], bool], wake: Callable[[], None], clock: Clock, settings: EngineSettings
    ) -> None:
        """has_room: whether those behind are not too far back; wake: ends the loop's sleep, from any thread."""
        self._log, self._has_room, self._wake = log, has_room, wake
        self._clock = clock
        self._room = threading.Semaphore(WAITING_MAX)
        self._waiting: deque[Delivery] = deque()
        self._taken: list[Delivery] = []
        self._backoff = Backoff(settings)
        self._closed = False

    def offer(self, delivery: Delivery, seconds: float) -> bool:
        """False: there is still no room for it after so many seconds."""
        if not self._room.acquire(timeout=seconds):
            return False
        self._waiting.append(delivery)
        if self._closed:
            self._refuse()
        self._wake()
        return True

    def step(self) -> bool:
        if not self._waiting or not self._has_room():
            return False
        while self._waiting and len(self._taken) < _BATCHES_A_STEP:
            delivery = self._waiting.popleft()
            self._taken.append(delivery)
            append_units(self._log, delivery.lane, delivery.source, delivery.table, delivery.messages)
        return True

    def committed(self) -> None:
        self._backoff.worked()
        for delivery in self._taken:
            delivery.settle()
            self._room.release()
        self._taken.clear()

    def undone(self) -> None:
        self._waiting.extendleft(reversed(self._taken))
        self._taken.clear()

    def failed(self, error: Exception) -> float:
        return self._backoff.failed()

    def wake_ms(self) -> float:
        return self._clock.monotonic_ms() + _HELD_MS if self._waiting else math.inf

    def close(self) -> None:
        """When the loop has ended: nothing will be taken any more."""
        self._closed = True
        self._refuse()

    def _refuse(self) -> None:
        while self._waiting:
            self._waiting.popleft().settle("adsindex is stopping; send it again")
            self._room.release()
