"""Tails the documents topic into a forward index; reads may demand a version, and always know how stale they are."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from proto.errors import CorruptionError, TooOldError, TooStaleError
from proto.events import DOCUMENTS, DeltaDocument, decode_delta
from proto.ports.clock import Clock
from proto.ports.log import Log, Message
from serving.document import ServedDocument
from serving.forward import ForwardIndex

Wait = Callable[[float], object]
"""Waits at most that many milliseconds for something new on the log, e.g. a doorbell's wait."""
Hook = Callable[[DeltaDocument, float], None]
"""Called for each document message with the wall clock (ms) at which it was servable."""


class DocumentReader:
    """The newest documents, from a base and what was published since.

    initial        messages that stand for a base: its schemas, its documents (merged with the topic by sequence)
    start_offsets  partition -> where to go on, taken *before* the base was read; partitions not named: from 0
    on_document    see Hook; none: no clock is read
    """

    def __init__(
        self,
        log: Log,
        clock: Clock,
        initial: Iterable[DeltaDocument] | None = None,
        start_offsets: Mapping[int, int] | None = None,
        on_document: Hook | None = None,
        topic: str = DOCUMENTS,
    ) -> None:
        self.index = ForwardIndex()
        self._log, self._clock, self._topic, self._hook = log, clock, topic, on_document
        self._offsets: dict[int, int] = dict(start_offsets or {})
        self._turn = 0
        self._partitions = log.partitions(topic)
        self.index.apply(initial or ())

    def poll(self, limit: int = 10_000) -> int:
        """Applies up to `limit` waiting messages; returns how many there were. 0: nothing is waiting.

        Raises TooOldError when the topic does not hold where this reader stands: there would be a gap.
        """
        partitions = self._partitions = self._log.partitions(self._topic)
        self._turn += 1
        taken = 0
        for step in range(partitions):
            if taken < limit:
                taken += self._poll_partition((self._turn + step) % partitions, limit - taken)
        return taken

    def _poll_partition(self, partition: int, limit: int) -> int:
        offset = self._offsets.get(partition, 0)
        messages = self._log.read(self._topic, partition, offset, limit)
        if not messages:
            self._check_end(partition, offset)
            return 0
        if messages[0].offset != offset:
            raise TooOldError(
                f"{self._topic}/{partition} holds messages from {messages[0].offset} on, "
                f"this reader stands at {offset}: start it again, from a base"
            )
        deltas = self._decoded(messages, partition)
        self.index.apply(deltas, partition)
        self._offsets[partition] = offset + len(messages)
        if self._hook is not None:
            servable_ms = self._clock.now_ms()
            for delta in deltas:
                if delta.kind == "document":
                    self._hook(delta, servable_ms)
        return len(messages)

    def _check_end(self, partition: int, offset: int) -> None:
        # After `adsindex rebuild` the topic begins again; who waited for the old place would miss all before it.
        end = self._log.bounds(self._topic, partition)[1]
        if offset > end:
            raise TooOldError(
                f"{self._topic}/{partition} ends at {end}, this reader stands at {offset}: the index was rebuilt; "
                "start it again, from a base"
            )

    def _decoded(self, messages: list[Message], partition: int) -> list[DeltaDocument]:
        try:
            return [decode_delta(value) for _, value in messages]
        except msgspec.DecodeError as error:
            place = f"{self._topic}/{partition}@{messages[0].offset}..{messages[-1].offset}"
            raise CorruptionError(f"a message in {place} can't be decoded: {error}") from error

    def get(
        self,
        document_type: str,
        key: bytes,
        *,
        min_version: int = 0,
        timeout_ms: float = 1000.0,
        wait: Wait | None = None,
    ) -> ServedDocument | None:
        """The newest version, servable or not; see `wait_for` about min_version."""
        self.wait_for(min_version, timeout_ms, wait)
        return self.index.get(document_type, key)

    def get_servable(
        self,
        document_type: str,
        key: bytes,
        *,
        min_version: int = 0,
        timeout_ms: float = 1000.0,
        wait: Wait | None = None,
    ) -> ServedDocument | None:
        """The newest version if it may be served, else None; see `wait_for` about min_version."""
        self.wait_for(min_version, timeout_ms, wait)
        return self.index.get_servable(document_type, key)

    def wait_for(self, min_version: int, timeout_ms: float, wait: Wait | None = None) -> None:
        """Returns when everything committed up to `min_version` is here; without `wait` the log must hold it.

        The watermark decides, never a document's own sequence: a build may begin before `min_version`, commit after it.
        Raises TooStaleError that says where the reader stands.
        """
        if not min_version or min_version <= self.watermark():
            return
        deadline_ms = self._clock.monotonic_ms() + timeout_ms
        while True:
            taken = self.poll()
            if self.watermark() >= min_version:
                return
            left_ms = deadline_ms - self._clock.monotonic_ms()
            if left_ms <= 0 or (wait is None and not taken):
                raise TooStaleError(self._where(min_version, timeout_ms))
            if wait is not None and not taken:
                wait(left_ms)

    def _where(self, min_version: int, timeout_ms: float) -> str:
        watermark = self.watermark()
        behind = f"waited {timeout_ms:g} ms, oldest pending change {self.staleness_ms():.1f} ms ago"
        return f"version {min_version} was demanded, everything up to {watermark} is servable ({behind})"

    def watermark(self) -> int:
        """Everything up to this commit timestamp is here, or was found unchanged."""
        return self.index.watermark(self._partitions)

    def staleness_ms(self) -> float:
        """Age of the oldest change that is not here yet; 0.0 when none is known.

        Known are changes that wait on the topic, and those that the newest heartbeat called pending (its commit_ms).
        """
        pending = [self.index.pending_since_ms()]
        for partition in range(self._log.partitions(self._topic)):
            messages = self._log.read(self._topic, partition, self._offsets.get(partition, 0), 1)
            pending += [_changed_ms(decode_delta(message.value)) for message in messages]
        oldest_ms = min(filter(None, pending), default=0.0)
        return max(0.0, self._clock.now_ms() - oldest_ms) if oldest_ms else 0.0

    def offsets(self) -> dict[int, int]:
        """Partition -> offset of the next message."""
        return dict(self._offsets)


def _changed_ms(delta: DeltaDocument) -> float:
    return delta.commit_ms or delta.apply_ms or delta.publish_ms
