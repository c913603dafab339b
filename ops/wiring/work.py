"""Long work in the loop: the lifecycle's looks, and slices of jobs that are as long as the traffic allows."""

import math

from argus.assemble import Parts
from argus.jobs import LANES
from ops.engine.backoff import Backoff
from ops.engine.settings import EngineSettings
from ops.engine.traffic import Traffic
from proto.lane import Lane
from proto.ports.clock import Clock

DOCUMENTS_MIN = 8
DOCUMENTS_MAX = 2048
LOOK_MS = 100.0

ABOVE_LOW = LANES - {Lane.LOW}


class JobWork:
    """A step: one slice of a job. Its length follows the measured time of a document, so that it fits the budget."""

    name = "jobs"

    def __init__(self, parts: Parts, traffic: Traffic, clock: Clock, settings: EngineSettings) -> None:
        self._parts, self._traffic, self._clock, self._settings = parts, traffic, clock, settings
        self._document_ms = 0.05
        self._look_ms = -math.inf
        self._backoff = Backoff(settings)
        self._taken = 0
        self._lanes = LANES  # whose jobs it may work on now

    def step(self) -> bool:
        now_ms = self._clock.monotonic_ms()
        looked = not self._parts.lifecycle.settled and now_ms - self._look_ms >= LOOK_MS and self._look(now_ms)
        self._taken = 0
        self._lanes = LANES
        if due := self._parts.jobs.due(now_ms):
            self._slice(due, now_ms)
        return looked or bool(self._taken)

    def committed(self) -> None:
        self._backoff.worked()
        if self._taken:
            self._look_ms = -math.inf  # a job may have ended: look at once what comes next

    def undone(self) -> None:
        self._parts.jobs.forget()

    def failed(self, error: Exception) -> float:
        return self._backoff.failed()

    def wake_ms(self) -> float:
        look_ms = math.inf if self._parts.lifecycle.settled else self._look_ms + LOOK_MS
        return min(look_ms, self._parts.jobs.due_ms(self._lanes))  # the loop knows when a Low one may ask again

    def took(self) -> bool:
        """Whether the last step built something."""
        return self._taken > 0

    def _slice(self, due: set[Lane], now_ms: float) -> None:
        """due: lanes with a job. Fan-outs of edits are held up by nothing, Low ones have to ask."""
        budget_ms = self._traffic.ask(self.name, now_ms) if Lane.LOW in due else 0.0
        if not budget_ms:
            self._lanes = ABOVE_LOW
            budget_ms = self._traffic.budget_ms(Lane.MEDIUM, now_ms)
            if Lane.HIGH in due:
                budget_ms = max(budget_ms, self._settings.fan_out_ms_max)
        limit = int(min(max(budget_ms / self._document_ms, DOCUMENTS_MIN), DOCUMENTS_MAX))
        self._taken = self._parts.jobs.step(limit, self._lanes)
        if self._taken:
            measured_ms = (self._clock.monotonic_ms() - now_ms) / self._taken
            self._document_ms += 0.3 * (measured_ms - self._document_ms)

    def _look(self, now_ms: float) -> bool:
        self._look_ms = now_ms
        return self._parts.lifecycle.step()
