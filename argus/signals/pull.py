"""One pull signal: what is known of it, what is being asked, what a document gets.

A build never waits. A key that is not known, or known for too long, is asked for by a call beside the loop; the
document is built with what there is, and built again when the answer comes. on_failure decides only once a call has
failed, or the breaker is open: between question and answer the last value, however old, stays in use.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from msgspec.structs import replace

from argus.signals.breaker import Breaker
from argus.signals.cache import Cache, Entry
from argus.signals.counts import PullCounts
from argus.signals.port import Answer, Call, Caller, Finished, Key
from argus.signals.waiting import RETRY_MS, Waiter, Waiting
from proto.flows.model import Signal
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.record import SignalReading

CALLS_MAX = 2
"""Calls of one signal at the same time."""


class Use(NamedTuple):
    """What a document gets. values: NULLs when there are none; blocked: why it is not to be built; awaited: it is to be
    built again when the key's answer comes."""

    reading: SignalReading
    values: tuple[Any, ...]
    blocked: str = ""
    awaited: bool = False


@dataclass(slots=True)
class _Flight:
    """A call under way. asked_ms: wall clock; deadline_ms: monotonic; late: it is over, and nobody waits any more."""

    call: Call
    asked_ms: float
    deadline_ms: float
    late: bool = False


class Pull:
    """Not for several threads. ready: documents to be built again."""

    def __init__(self, signal: Signal, caller: Caller, clock: Clock) -> None:
        self.signal, self.cache, self.counts = signal, Cache(signal), PullCounts()
        self.breaker = Breaker(signal.breaker)
        self.waiting = Waiting(signal.cache_keys_max)
        self.ready: dict[Waiter, Lane] = {}
        self.nulls: tuple[Any, ...] = (None,) * len(signal.fields)
        self._caller, self._clock = caller, clock
        self._asked: set[Key] = set()  # in the queue or under way
        self._queue: dict[Key, None] = {}
        self._flights: dict[int, _Flight] = {}
        self._retry_ms = float("inf")
        self._no_key = Use(SignalReading(signal.name, None, "absent", shape=self.cache.shape), self.nulls)

    def use(self, key: Key, stored: SignalReading | None, now_ms: float) -> Use:
        """For a key whose entry is not there or too old. stored: what the document was last built with; now_ms: wall
        clock."""
        if key is None:
            return self._no_key
        entry = self.known(key, stored)
        if entry is not None and entry.until_ms > now_ms:
            return Use(entry.reading, entry.reading.values or self.nulls)
        self.counts.misses += 1
        pending = self.want(key)
        if entry is None:
            state = "pending" if pending else "failed"
            reading = SignalReading(self.signal.name, key, state, shape=self.cache.shape)
            return Use(reading, self.nulls, self._block("signal_missing"), True)
        if pending or self.signal.on_failure == "use_last":
            state = "absent" if entry.reading.values is None else "last_good"
            return Use(replace(entry.reading, state=state), entry.reading.values or self.nulls, "", True)
        return Use(replace(entry.reading, state="failed"), self.nulls, self._block("signal_stale"), True)

    def known(self, key: Key, stored: SignalReading | None) -> Entry | None:
        """The newer of what is in memory and what the document was built with: a version never goes back."""
        entry = self.cache.entries.get(key)
        if stored is None or stored.key != key or stored.shape != self.cache.shape or not stored.fetched_ms:
            return entry
        if entry is None or _is_newer(stored, entry.reading):
            return self.cache.put(stored)
        return entry

    def want(self, key: Key) -> bool:
        """Asks for a key, unless that was tried in vain just now. True: an answer is to be expected."""
        if key in self._asked:
            return True
        now_ms = self._clock.monotonic_ms()
        failure = self.waiting.failure(key)
        if self.breaker.refuses(now_ms) or (failure is not None and failure.until_ms > now_ms):
            return False
        if len(self._asked) >= self.signal.cache_keys_max:
            return False
        self._asked.add(key)
        self._queue[key] = None
        return True

    def is_asked(self, key: Key) -> bool:
        """Whether an answer is to be expected."""
        return key in self._asked

    def await_answer(self, key: Key, waiter: Waiter, lane: Lane) -> None:
        """A document is to be built again when the key's answer comes."""
        self.waiting.add(key, waiter, lane)
        failure = self.waiting.failure(key)
        if failure is not None:
            self._retry_ms = min(self._retry_ms, failure.until_ms)

    def start_calls(self) -> None:
        """Starts what is in the queue, as far as breaker and CALLS_MAX allow."""
        while self._queue and len(self._flights) < CALLS_MAX:
            now_ms = self._clock.monotonic_ms()
            if not self.breaker.may_call(now_ms):
                return
            keys = tuple(islice(self._queue, self.signal.batch_keys_max))
            for key in keys:
                del self._queue[key]
            self.breaker = self.breaker.called()
            self.counts.calls += 1
            self.counts.keys += len(keys)
            call = Call(self.signal.name, self.counts.calls, keys)
            self._flights[call.number] = _Flight(call, self._clock.now_ms(), now_ms + self.signal.timeout_ms)
            self._caller.start(call)

    def settle(self, finished: Finished) -> None:
        """A call has ended."""
        flight = self._flights.pop(finished.call.number)
        bad: dict[Key, str] = {}
        for key in finished.call.keys:
            answer = finished.answers.get(key)
            if answer is None:
                bad[key] = finished.error or finished.refused.get(key, "no answer")
            elif (newest := self._newest_version(key)) > answer.version > 0:
                self.counts.went_back += 1
                bad[key] = f"key {key!r}: version went back from {newest} to {answer.version}"
            else:
                self._accept(flight.asked_ms, key, answer)
        if flight.late:  # counted as a failure already; what it says is as good as it was
            return
        self._fail(bad)
        if len(bad) < len(finished.call.keys):
            self._succeeded()
        else:
            self._call_failed(next(iter(bad.values())))

    def tick(self) -> None:
        """Gives up calls that take too long, asks again for keys that are due, starts calls."""
        now_ms = self._clock.monotonic_ms()
        for flight in self._flights.values():
            if not flight.late and flight.deadline_ms <= now_ms:
                flight.late = True
                self.counts.timeouts += 1
                reason = f"no answer within {self.signal.timeout_ms:g} ms"
                self._fail(dict.fromkeys(flight.call.keys, reason))
                self._call_failed(reason)
        if len(self._flights) >= CALLS_MAX and all(flight.late for flight in self._flights.values()):
            self._fail(dict.fromkeys(self._queue, "earlier calls never came back"))
        if self._retry_ms <= now_ms and not self.breaker.refuses(now_ms):
            asked = [self.want(key) for key in self.waiting.due(now_ms)]
            self._retry_ms = self.waiting.due_ms(now_ms) if all(asked) else now_ms + RETRY_MS
        self.start_calls()

    def due_ms(self) -> float:
        """When (monotonic) `tick` has something to do; infinity: not before a call ends."""
        deadlines = [flight.deadline_ms for flight in self._flights.values() if not flight.late]
        retry_ms = max(self._retry_ms, self.breaker.until_ms if self.breaker.state == "open" else 0.0)
        return min([*deadlines, retry_ms])

    def is_quiet(self) -> bool:
        """Nothing is being asked, and no document waits to be built again."""
        return not self._asked and not self.ready and not self.waiting.documents

    def _newest_version(self, key: Key) -> int:
        entry = self.cache.entries.get(key)
        return 0 if entry is None else entry.reading.version

    def _accept(self, asked_ms: float, key: Key, answer: Answer) -> None:
        entry = self.cache.entries.get(key)
        if entry is None or entry.reading.fetched_ms <= asked_ms:  # a late call may come after its successor
            name, shape = self.signal.name, self.cache.shape
            self.cache.put(SignalReading(name, key, "", answer.version, asked_ms, answer.values, shape))
        self._asked.discard(key)
        self._queue.pop(key, None)
        self.ready.update(self.waiting.answered(key))

    def _fail(self, reasons: dict[Key, str]) -> None:
        """Keys could not be had. Under `omit`, documents that still hold an old value lose it now."""
        now_ms = self._clock.monotonic_ms()
        for key, reason in reasons.items():
            self._asked.discard(key)
            self._queue.pop(key, None)
            failure = self.waiting.failed(key, now_ms, reason)
            waiters = self.waiting.of(key)
            if waiters:
                self._retry_ms = min(self._retry_ms, failure.until_ms)
            if failure.attempts == 1 and self.signal.on_failure == "omit" and key in self.cache.entries:
                self.ready.update(waiters)
        if reasons:
            self.counts.failed_keys += len(reasons)
            self.counts.note_error(next(iter(reasons.values())), self._clock.now_ms())

    def _call_failed(self, reason: str) -> None:
        now_ms = self._clock.monotonic_ms()
        self.counts.failed_calls += 1
        self.counts.failed_ms = self._clock.now_ms()
        self.counts.note_error(reason, self.counts.failed_ms)
        self.breaker = self.breaker.failed(now_ms)
        if self.breaker.refuses(now_ms):
            self._fail(dict.fromkeys(self._queue, f"not asked: {reason}"))

    def _succeeded(self) -> None:
        if self.breaker.state != "closed":
            self.waiting.forgive()
            self._retry_ms = self._clock.monotonic_ms()
        self.breaker = self.breaker.succeeded()
        self.counts.succeeded_ms = self._clock.now_ms()

    def _block(self, code: str) -> str:
        return f"{code} {self.signal.name}" if self.signal.on_failure == "block" else ""


def _is_newer(one: SignalReading, other: SignalReading) -> bool:
    """By version; that nothing is known of a key has none, and counts by when it was said."""
    if one.version and other.version and one.version != other.version:
        return one.version > other.version
    return one.fetched_ms > other.fetched_ms
