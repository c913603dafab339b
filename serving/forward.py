"""The forward index: (type, key) -> newest content, kept as bytes, merged by sequence.

Garbage: a tombstone stays, so that a late message below its sequence can't bring a deleted document back;
`forget_tombstones` drops those that the caller knows to be older than anything that can still arrive. Schemas are never
dropped (a few for each flows file).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proto.errors import CorruptionError
from proto.events import DeltaDocument
from serving.document import ServedDocument, decode_schema, decode_served, is_tombstone

_ENTRY_BYTES = 2 * 33 + 56 + 32 + 100  # headers of two bytes objects, a pair, an int; the place in the dict


@dataclass(slots=True)
class ForwardCounters:
    """Messages so far.

    applied: newer than what was held; duplicates: equal sequence; lower: an older sequence, refused.
    """

    applied: int = 0
    duplicates: int = 0
    lower: int = 0
    heartbeats: int = 0
    schemas: int = 0


class ForwardIndex:
    """Documents by type and key. The highest sequence wins, whatever the order of arrival. One thread writes."""

    def __init__(self) -> None:
        self.counters = ForwardCounters()
        self._documents: dict[str, dict[bytes, tuple[int, bytes]]] = {}
        self._schemas: dict[int, tuple[str, ...]] = {}
        self._watermarks: dict[int, int] = {}
        self._pending_ms: dict[int, float] = {}

    def apply(self, deltas: Iterable[DeltaDocument], partition: int = 0) -> None:
        """Merges messages of one partition of the documents topic, in any order."""
        documents = self._documents
        applied = duplicates = lower = 0
        for delta in deltas:
            if delta.kind != "document":
                self._control(delta, partition)
                continue
            held = documents.get(delta.type)
            if held is None:
                held = documents[delta.type] = {}
            key, sequence = delta.key, delta.sequence
            before = held.get(key)
            if before is None or sequence > before[0]:
                held[key] = (sequence, delta.content)
                applied += 1
            elif sequence == before[0]:
                duplicates += 1
            else:
                lower += 1
        counters = self.counters
        counters.applied += applied
        counters.duplicates += duplicates
        counters.lower += lower

    def _control(self, delta: DeltaDocument, partition: int) -> None:
        if delta.kind == "heartbeat":
            self.counters.heartbeats += 1
            if delta.watermark >= self._watermarks.get(partition, 0):
                self._watermarks[partition] = delta.watermark
                self._pending_ms[partition] = delta.commit_ms
        else:
            self.counters.schemas += 1
            schema = decode_schema(delta.content)
            self._schemas[schema.id] = schema.names

    def get(self, document_type: str, key: bytes) -> ServedDocument | None:
        """The newest version, servable or not; None when there is none, or when it was deleted."""
        held = self._documents.get(document_type, {}).get(key)
        if held is None:
            return None
        try:
            return decode_served(document_type, key, held[0], held[1], self._schemas)
        except KeyError as unknown:
            raise CorruptionError(
                f"a document of type {document_type!r} names schema {unknown}, which no message announced; "
                "start the reader with the schemas of its base"
            ) from None

    def get_servable(self, document_type: str, key: bytes) -> ServedDocument | None:
        """The newest version if it may be served, else None."""
        document = self.get(document_type, key)
        return document if document is not None and document.servable else None

    def sequence(self, document_type: str, key: bytes) -> int:
        """Sequence of what is held, a tombstone included; 0 when nothing is."""
        held = self._documents.get(document_type, {}).get(key)
        return 0 if held is None else held[0]

    def types(self) -> list[str]:
        """Document types seen so far."""
        return list(self._documents)

    def keys(self, document_type: str) -> Iterator[bytes]:
        """Keys of the documents that are not deleted, in no order. Don't apply while iterating."""
        for key, (_, content) in self._documents.get(document_type, {}).items():
            if not is_tombstone(content):
                yield key

    def size_bytes(self) -> int:
        """Of keys and contents, with what Python adds to each of them."""
        return sum(
            _ENTRY_BYTES + len(key) + len(content)
            for held in self._documents.values()
            for key, (_, content) in held.items()
        )

    def watermark(self, partitions: int = 1) -> int:
        """Everything up to this commit timestamp is here, or was found unchanged.

        The least of the partitions' heartbeats; 0 until each has sent one.
        """
        return min(map(self._watermarks.get, range(partitions), [0] * partitions), default=0)

    def pending_since_ms(self) -> float:
        """Commit time of the oldest change that the newest heartbeats call unpublished; 0.0: there was none."""
        return min(filter(None, self._pending_ms.values()), default=0.0)

    def forget_tombstones(self, before: int) -> int:
        """Drops tombstones below `before`; returns how many. Only safe when no older message can still arrive."""
        dropped = 0
        for held in self._documents.values():
            old = [key for key, (sequence, content) in held.items() if sequence < before and is_tombstone(content)]
            for key in old:
                del held[key]
            dropped += len(old)
        return dropped
