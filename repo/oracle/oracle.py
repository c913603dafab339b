"""The oracle at work: its decisions over its storage, a frame at a time. Group commit without a timer: a flush takes
what came in while the one before was under way."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from proto.errors import FencedError, UnavailableError
from proto.ports.clock import Clock
from repo.oracle.frames import BeginRequest, BegunRange, Decided, Frame, Replies
from repo.oracle.port import Decision, Fate, Resolution
from repo.oracle.state_machine import NANOSECONDS_PER_MS, OracleLimits, OracleStateMachine
from repo.oracle.storage import OracleStorage

Answer = TypeVar("Answer")


class Oracle:
    """The owner of the state chain, as long as nobody takes it over.

    One `frame` at a time; `begin` and `replies` may be called beside it. An oracle whose flush did not end stops for
    good: what is asked of it then raises FencedError, and what it had decided its successor finds out.
    """

    def __init__(
        self,
        storage: OracleStorage,
        clock: Clock,
        limits: OracleLimits | None = None,
        pause: Callable[[int], None] = lambda attempt: None,
        guard: AbstractContextManager[object] | None = None,
    ) -> None:
        """Takes over: blocks until it is the owner and all that was committed before can be read.

        pause: called after the nth attempt at a call that was not answered; it may raise, to give up.
        guard: held while the state in memory changes, never during a call of the storage; a lock, where `begin` is
        called by other threads.
        """
        self._storage, self._clock, self._limits = storage, clock, limits or OracleLimits()
        self._pause = pause
        self._guard = guard or nullcontext()
        self._serves = True
        now, window = int(clock.now_ms()) * NANOSECONDS_PER_MS, self._limits.ceiling_ms * NANOSECONDS_PER_MS
        taken = storage.chain.take_over(now, window)
        if taken.batch:
            self._until_answered(lambda: storage.commit_table.put(taken.batch))
        self._machine = OracleStateMachine(taken, self._limits)

    @property
    def epoch(self) -> int:
        """Every timestamp of a predecessor is below it, every one of this oracle above it."""
        return self._machine.epoch

    @property
    def serves(self) -> bool:
        """False for ever, once it was fenced."""
        return self._serves

    def begin(self, request: BeginRequest) -> BegunRange | None:
        """From memory, also while a flush is under way. None: put it into a frame."""
        with self._guard:
            self._require_serving()
            self._tick()
            return self._machine.begin(request)

    def frame(self, frame: Frame) -> Decided:
        """Answers when all that was decided is durable: one compare-and-set and one put of commit-table rows, or none.
        Raises FencedError when somebody else has taken over; the outcome of the frame's commits is not known then."""
        machine = self._machine
        with self._guard:
            self._require_serving()
            self._tick()
        decisions: list[Decision] = []
        for start in range(0, len(frame.commits), self._limits.flush_max):
            with self._guard:
                decisions += machine.decide(frame.commits[start : start + self._limits.flush_max])
            self._flush()
        with self._guard:  # ids above the commits of this frame, for the snapshots shall hold them
            first_ids = [machine.allot(request) for request in frame.begins]
        self._flush()  # nothing, unless the begins have reached the ceiling
        with self._guard:
            begun = [
                None if first_id is None else BegunRange(first_id, request.id_count, machine.snapshot(request.at_least))
                for first_id, request in zip(first_ids, frame.begins, strict=True)
            ]
            settled = [machine.settle(id) for id in frame.settles]
            return Decided(begun, decisions, [machine.resolve(id) for id in frame.resolves], settled)

    def replies(self, frame: Frame, decided: Decided) -> Replies:
        """With what the commit table knows, which is final: so also when it is fenced. frame, decided: or a share."""
        asked = [*zip(frame.resolves, decided.resolves, strict=True), *zip(frame.settles, decided.settles, strict=True)]
        stored = self._look_up([id for id, known in asked if known is None])
        found = [known or stored[id] for id, known in asked]
        return Replies(decided.begins, decided.commits, found[: len(frame.resolves)], found[len(frame.resolves) :])

    def _flush(self) -> None:
        with self._guard:
            flush = self._machine.flush()
        if flush is None:
            return
        try:
            self._storage.chain.advance(flush.ceiling, flush.batch)
            if flush.batch:
                self._until_answered(lambda: self._storage.commit_table.put(flush.batch))
        except BaseException:
            self._serves = False
            raise
        with self._guard:
            self._machine.flushed(flush)

    def _look_up(self, ids: Sequence[int]) -> dict[int, Resolution]:
        """Of ids that this oracle will never decide: what the commit table says is final."""
        if not ids:
            return {}
        committed = self._until_answered(lambda: self._storage.commit_table.look_up(ids))
        found = {id: Resolution(Fate.COMMITTED, timestamp) for id, timestamp in committed.items()}
        if len(found) < len(set(ids)):
            horizon = self._until_answered(self._storage.sweep_horizon)  # after the look-up (F8)
            for id in ids:
                found.setdefault(id, Resolution(Fate.SWEPT if id < horizon else Fate.ABORTED))
        return found

    def _until_answered(self, call: Callable[[], Answer]) -> Answer:
        attempt = 0
        while True:
            try:
                return call()
            except UnavailableError:
                attempt += 1
                self._pause(attempt)

    def _tick(self) -> None:
        self._machine.tick(self._clock.now_ms(), self._clock.monotonic_ms())

    def _require_serving(self) -> None:
        if not self._serves:
            raise FencedError("another oracle has taken over: ask it")
