"""Signals in the loop: takes over what calls have brought, and builds again the documents that waited for it."""

from collections.abc import Callable

from argus.assemble import Parts
from ops.engine.backoff import Backoff
from ops.engine.settings import EngineSettings
from ops.engine.traffic import Traffic
from proto.events import Cause
from proto.lane import Lane
from proto.ports.clock import Clock

DOCUMENTS_A_MS = 8
"""Documents built again in one turn, for each millisecond that they may take."""


class SignalWork:
    """A step. last_timestamp: of the newest commit."""

    name = "signals"

    def __init__(
        self, parts: Parts, last_timestamp: Callable[[], int], traffic: Traffic, clock: Clock, settings: EngineSettings
    ) -> None:
        self._parts, self._last_timestamp, self._traffic = parts, last_timestamp, traffic
        self._clock = clock
        self._taken: dict[str, set[bytes]] = {}
        self._backoff = Backoff(settings)

    def step(self) -> bool:
        ended = self._parts.pulls.tick()
        if ended:
            self._parts.jobs.look_again()
        self._parts.refresh.step(self._parts.argus.live)
        self._taken = {}
        limit = int(max(self._traffic.budget_ms(Lane.MEDIUM, self._clock.monotonic_ms()) * DOCUMENTS_A_MS, 1))
        for document_type, lanes in self._parts.pulls.ready(limit).items():
            self._taken[document_type] = set(lanes)
            if document_type in self._parts.argus.live:  # otherwise all its documents are still to be built
                change = self._last_timestamp()
                causes = {key: Cause(change, lane) for key, lane in lanes.items()}
                self._taken[document_type] -= self._parts.builders[document_type].build(causes)
        return ended or self.took()

    def committed(self) -> None:
        self._parts.pulls.built(self._taken)
        self._backoff.worked()

    def undone(self) -> None:
        self._taken = {}

    def failed(self, error: Exception) -> float:
        return self._backoff.failed()

    def wake_ms(self) -> float:
        return min(self._parts.pulls.due_ms(), self._parts.refresh.due_ms())

    def took(self) -> bool:
        """Whether the last step built something."""
        return any(self._taken.values())
