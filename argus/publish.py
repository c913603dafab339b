"""The publisher: changed documents, in commit order, into the documents topic."""

from collections.abc import Sequence
from operator import itemgetter

from proto.events import DOCUMENTS, Cause, DeltaDocument, decode_document_changes, encode
from proto.ports.clock import Clock
from proto.ports.log import Log
from proto.ports.processor import DONE, Item, Outcome
from proto.record import DocumentRecord, Schema, decode_document
from repo.api import Repo
from repo.rows import Schemas
from repo.system import CONTENT, document_table


class Publisher:
    """proto.ports.processor.Processor over the publications topic. Nobody else appends to the documents topic.

    The sequence is the content's commit timestamp. A document that has changed again meanwhile is published once, as
    it is now.

    end: offset behind what it has appended last.

    What it has said it remembers by the place in the topic, because the group in which it said so may be undone: then
    the topic ends before that place, and it is said again. So it is when the topic was trimmed beyond it.
    """

    def __init__(self, repo: Repo, log: Log, schemas: Schemas, clock: Clock) -> None:
        self._repo, self._log, self._schemas, self._clock = repo, log, schemas, clock
        self._announced: dict[int, int] = {}  # schema id -> offset
        self._beat = (0, 0)  # watermark, offset
        self.end = 0
        self.published = 0

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        wanted: dict[str, dict[bytes, tuple[Cause, float]]] = {}
        newest = 0
        for item in batch:
            commit_timestamp, changes = decode_document_changes(item.value)
            newest = max(newest, commit_timestamp)
            reasons = [(reason, changes.build_ms) for reason in changes.reasons]
            keys = wanted.setdefault(changes.type, {})
            for key, cause in zip(changes.keys, changes.causes, strict=True):
                keys[key] = reasons[cause]
        self._look()
        found: list[tuple[int, bytes, int]] = []
        for document_type, causes in wanted.items():
            found += self._documents(document_type, causes, newest)
        found.sort(key=itemgetter(0))
        messages: list[bytes] = []
        announced: dict[int, int] = {}
        for _, message, schema in found:
            if schema not in self._announced and schema not in announced:
                announced[schema] = self.end + len(messages)
                messages.append(encode(DeltaDocument("schema", content=encode(Schema(self._schemas.names(schema))))))
            messages.append(message)
        self._append(messages)
        self._announced.update(announced)  # not if it raised: nobody knows whether it was said
        self.published += len(found)
        return [DONE] * len(batch)

    def heartbeat(self, watermark: int, pending: int = 0) -> None:
        """Says that everything up to `watermark` is published, or was found unchanged. pending: commit timestamp of the
        oldest change that is not; 0: none is known."""
        self._look()
        if watermark > self._beat[0]:
            self._beat = watermark, self.end
            now_ms, pending_ms = self._clock.now_ms(), pending / 1e6
            self._append(
                [encode(DeltaDocument("heartbeat", watermark=watermark, commit_ms=pending_ms, publish_ms=now_ms))]
            )

    def _documents(
        self, document_type: str, wanted: dict[bytes, tuple[Cause, float]], at_least: int
    ) -> list[tuple[int, bytes, int]]:
        """(sequence, message, schema id) of each document. at_least: the newest change among them; below it their
        content is an older one, or none yet, and what is said here is said once (N1)."""
        now_ms = self._clock.now_ms()
        with self._repo.snapshot(at_least) as snapshot:
            versions = snapshot.read(document_table(document_type), CONTENT, list(wanted))
        found: list[tuple[int, bytes, int]] = []
        for (key, (cause, build_ms)), version in zip(wanted.items(), versions, strict=True):
            if version is None or version.value is None:
                continue
            delta = DeltaDocument(
                "document", document_type, key, version.commit_timestamp, version.value, 0,
                cause.lane, cause.commit_ms, cause.capture_ms, cause.apply_ms, build_ms, now_ms, cause.change,
            )  # fmt: skip
            found.append((version.commit_timestamp, encode(delta), schema_of(version.value)))
        return found

    def _look(self) -> None:
        """Forgets what the topic does not hold, or no longer."""
        first, end = self._log.bounds(DOCUMENTS, 0)
        if end < self.end or first:
            self._announced = {schema: place for schema, place in self._announced.items() if first <= place < end}
        if self._beat[1] >= end:
            self._beat = (0, 0)
        self.end = end

    def _append(self, messages: list[bytes]) -> None:
        if messages:
            self.end = self._log.append(DOCUMENTS, 0, messages) + len(messages)


def schema_of(content: bytes) -> int:
    """The schema id of an encoded DocumentRecord, without decoding the rest: it is the first element of the array."""
    if content[1] == 0xCE:
        return int.from_bytes(content[2:6], "big")
    record: DocumentRecord = decode_document(content)
    return record.schema
