"""When documents are looked through for signals that are too old: by a job in the Low lane, now and then."""

from collections.abc import Callable, Collection, Mapping

from argus.signals.pull import Pull
from proto.errors import ConflictError
from proto.ports.clock import Clock

LOOKS_PER_AGE = 10
"""So often within the shortest age of a type's signals: a document's signal is older by a tenth at most."""

EVERY_MS_MIN = 1000.0


class Refresh:
    """begin: begins the job for a document type, unless it runs. types: document type -> its signals.

    at_once: documents of an earlier process may be waiting.
    """

    def __init__(
        self, types: Mapping[str, Collection[Pull]], begin: Callable[[str], None], clock: Clock, at_once: bool
    ) -> None:
        self._types = {name: list(pulls) for name, pulls in types.items() if pulls}
        self._begin, self._clock = begin, clock
        now_ms = clock.monotonic_ms()
        self._due_ms = {name: now_ms + (0.0 if at_once else self._every_ms(name)) for name in self._types}

    def step(self, live: Collection[str]) -> None:
        """Begins what is due, of the types that are live."""
        now_ms = self._clock.monotonic_ms()
        for name, pulls in self._types.items():
            owed = [pull for pull in pulls if pull.waiting.overflowed and pull.breaker.state == "closed"]
            if self._due_ms[name] > now_ms and not owed:
                continue
            if name not in live:
                self._due_ms[name] = now_ms + EVERY_MS_MIN
                continue
            for pull in owed:
                pull.waiting.overflowed = False
            self._due_ms[name] = now_ms + self._every_ms(name)
            try:
                self._begin(name)
            except ConflictError:  # another process has begun it
                continue

    def due_ms(self) -> float:
        """When (monotonic) the next one is due."""
        return min(self._due_ms.values(), default=float("inf"))

    def _every_ms(self, name: str) -> float:
        signals = [pull.signal for pull in self._types[name]]
        shortest_s = min(min(signal.max_age_s, signal.absent_max_age_s) for signal in signals)
        return max(shortest_s * 1000.0 / LOOKS_PER_AGE, EVERY_MS_MIN)
