"""Long work in the loop: the lifecycle's looks, and slices of jobs that are as long as the traffic allows."""

import math

from argus.assemble import Parts
from ops.engine.backoff import backoff_ms
from ops.engine.settings import EngineSettings
from proto.ports.clock import Clock

DOCUMENTS_MIN = 16
DOCUMENTS_MAX = 2048
LOOK_MS = 100.0
FIRST_BUDGET_MS = 100.0
"""Nobody waits for an edit while nothing has been published yet."""


class JobWork:
    """A step: one slice of a job. Its length follows the measured time of a document, so that it fits the budget."""

    name = "jobs"

    def __init__(self, parts: Parts, clock: Clock, settings: EngineSettings) -> None:
        self._parts, self._clock, self._settings = parts, clock, settings
        self._document_ms = 0.05
        self._look_ms = -math.inf
        self._failures = 0
        self._taken = 0

    def step(self, budget_ms: float) -> bool:
        now_ms = self._clock.monotonic_ms()
        looked = not self._parts.lifecycle.settled and now_ms - self._look_ms >= LOOK_MS and self._look(now_ms)
        if not self._parts.argus.live or self._parts.lifecycle.first:
            budget_ms = max(budget_ms, FIRST_BUDGET_MS)
        limit = int(min(max(budget_ms / self._document_ms, DOCUMENTS_MIN), DOCUMENTS_MAX))
        began_ms = self._clock.monotonic_ms()
        self._taken = self._parts.jobs.step(limit)
        if self._taken:
            measured_ms = (self._clock.monotonic_ms() - began_ms) / self._taken
            self._document_ms += 0.3 * (measured_ms - self._document_ms)
        return looked or bool(self._taken)

    def committed(self) -> None:
        self._failures = 0
        if self._taken:
            self._look_ms = -math.inf  # a job may have ended: look at once what comes next

    def undone(self) -> None:
        self._parts.jobs.forget()

    def failed(self, error: Exception) -> float:
        self._failures += 1
        return backoff_ms(self._failures, self._settings)

    def wake_ms(self) -> float:
        look_ms = math.inf if self._parts.lifecycle.settled else self._look_ms + LOOK_MS
        return min(look_ms, self._parts.jobs.due_ms())

    def took(self) -> bool:
        """Whether the last step built something."""
        return self._taken > 0

    def _look(self, now_ms: float) -> bool:
        self._look_ms = now_ms
        return self._parts.lifecycle.step()
