"""Tells readers how far everything is: a heartbeat on the documents topic, with what is written anyway or soon
after."""

import math
from typing import Protocol

from argus.publish import Publisher
from ops.engine.backoff import backoff_ms
from ops.engine.settings import EngineSettings
from ops.engine.watermark import Watermark
from proto.ports.clock import Clock

ALONE_AFTER_MS = 30.0
"""A watermark that moved without any other write is told after so long, in a commit of its own."""


class WritingLog(Protocol):
    """Whether the open group has begun to write."""

    def writing(self) -> bool: ...


class Heartbeat:
    """A step: the last of a pass."""

    name = "heartbeat"

    def __init__(
        self, watermark: Watermark, publisher: Publisher, log: WritingLog, clock: Clock, settings: EngineSettings
    ) -> None:
        self._watermark, self._publisher, self._log, self._clock = watermark, publisher, log, clock
        self._told = 0
        self._telling = 0
        self._due_ms = math.inf
        self._settings = settings
        self._failures = 0

    def step(self, budget_ms: float) -> bool:
        self._telling = self._told
        value = self._watermark.advance()
        if value <= self._told:
            return False
        now_ms = self._clock.monotonic_ms()
        if self._log.writing() or now_ms >= self._due_ms:
            self._publisher.heartbeat(value)
            self._telling = value
        elif self._due_ms == math.inf:
            self._due_ms = now_ms + ALONE_AFTER_MS
        return False

    def committed(self) -> None:
        if self._telling > self._told:
            self._told, self._due_ms = self._telling, math.inf
        self._failures = 0

    def undone(self) -> None:
        self._telling = self._told

    def failed(self, error: Exception) -> float:
        self._failures += 1
        return backoff_ms(self._failures, self._settings)

    def wake_ms(self) -> float:
        return self._due_ms
