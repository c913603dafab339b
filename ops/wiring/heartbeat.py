"""Tells readers how far everything is: a heartbeat on the documents topic, with what is written anyway or soon
after. Notes when what was published became readable."""

import math

from argus.publish import Publisher
from ops.engine.backoff import Backoff
from ops.engine.served import ServedFile
from ops.engine.settings import EngineSettings
from ops.engine.watermark import Watermark
from proto.events import DOCUMENTS
from proto.ports.clock import Clock
from proto.ports.log import Log

ALONE_AFTER_MS = 30.0
"""A watermark that moved without any other write is told after so long, in a commit of its own."""


class Heartbeat:
    """A step: the last of a pass."""

    name = "heartbeat"

    def __init__(
        self, watermark: Watermark, publisher: Publisher, served: ServedFile, log: Log, clock: Clock,
        settings: EngineSettings,
    ) -> None:  # fmt: skip
        self._watermark, self._publisher, self._served = watermark, publisher, served
        self._log, self._clock = log, clock
        self._published = publisher.end
        self._told = 0
        self._telling = 0
        self._due_ms = math.inf
        self._backoff = Backoff(settings)

    def step(self) -> bool:
        self._telling = self._told
        value = self._watermark.advance()
        if value <= self._told:
            return False
        now_ms = self._clock.monotonic_ms()
        if self._log.writing() or now_ms >= self._due_ms:
            self._publisher.heartbeat(value, self._watermark.pending)
            self._telling = value
        elif self._due_ms == math.inf:
            self._due_ms = now_ms + ALONE_AFTER_MS
        return False

    def committed(self) -> None:
        if self._telling > self._told:
            self._told, self._due_ms = self._telling, math.inf
        if self._publisher.end != self._published:
            self._published = self._publisher.end
            # Its own count may be of a group that was undone: the log's is not.
            self._served.note(self._log.bounds(DOCUMENTS, 0)[1], self._clock.now_ms())
        self._backoff.worked()

    def undone(self) -> None:
        self._telling = self._told

    def failed(self, error: Exception) -> float:
        return self._backoff.failed()

    def wake_ms(self) -> float:
        return self._due_ms
