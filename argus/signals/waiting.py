"""Documents that were built without a fresh reading, by the key that they wait for; and when failed keys are due."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from argus.signals.port import Key
from proto.lane import Lane

DOCUMENTS_MAX = 10_000
"""Documents of one signal; those above are found again by the refresh."""

RETRY_MS, RETRY_MS_MAX = 1000.0, 60_000.0


class Waiter(NamedTuple):
    """A document."""

    document: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """A key that could not be had. until_ms: monotonic; not asked for again before."""

    attempts: int
    until_ms: float
    reason: str


class Waiting:
    """Bounded: documents by DOCUMENTS_MAX, failures by keys_max (the oldest are forgotten). overflowed: some document
    that waits is not here."""

    def __init__(self, keys_max: int) -> None:
        self.overflowed = False
        self.documents = 0
        self._by_key: dict[Key, dict[Waiter, Lane]] = {}
        self._failures: dict[Key, Failure] = {}
        self._keys_max = keys_max

    def add(self, key: Key, waiter: Waiter, lane: Lane) -> None:
        """Notes that a document is to be built again when the key's answer comes."""
        waiters = self._by_key.get(key)
        if waiters is not None and waiter in waiters:
            waiters[waiter] = min(waiters[waiter], lane)
        elif self.documents >= DOCUMENTS_MAX:
            self.overflowed = True
        else:
            self._by_key.setdefault(key, {})[waiter] = lane
            self.documents += 1

    def answered(self, key: Key) -> dict[Waiter, Lane]:
        """Takes the documents of a key whose answer has come."""
        self._failures.pop(key, None)
        waiters = self._by_key.pop(key, {})
        self.documents -= len(waiters)
        return waiters

    def of(self, key: Key) -> dict[Waiter, Lane]:
        """The documents that wait for a key, which go on waiting."""
        return dict(self._by_key.get(key, {}))

    def failed(self, key: Key, now_ms: float, reason: str) -> Failure:
        """Notes a failure; the first of a row has attempts = 1."""
        before = self._failures.pop(key, None)
        attempts = 1 if before is None else before.attempts + 1
        wait_ms = min(RETRY_MS * 2 ** min(attempts - 1, 20), RETRY_MS_MAX)
        if len(self._failures) >= self._keys_max:
            del self._failures[next(iter(self._failures))]
        failure = self._failures[key] = Failure(attempts, now_ms + wait_ms, reason)
        return failure

    def failure(self, key: Key) -> Failure | None:
        """Why a key could not be had the last time."""
        return self._failures.get(key)

    def forgive(self) -> None:
        """Every key may be asked for at once."""
        self._failures.clear()

    def due(self, now_ms: float) -> Iterator[Key]:
        """Keys that documents wait for, and that may be asked for again."""
        for key in list(self._by_key):
            failure = self._failures.get(key)
            if failure is None or failure.until_ms <= now_ms:
                yield key

    def due_ms(self, now_ms: float) -> float:
        """When (monotonic) the next one after now may be asked for again; infinity: nobody waits for a failed one."""
        untils = (self._failures[key].until_ms for key in self._by_key if key in self._failures)
        return min((until_ms for until_ms in untils if until_ms > now_ms), default=float("inf"))
