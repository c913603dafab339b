"""The publisher: changed documents, in commit order, into the documents topic."""

from collections.abc import Sequence

from proto.events import DOCUMENTS, Cause, DeltaDocument, decode_document_changes, encode
from proto.ports.clock import Clock
from proto.ports.log import Log
from proto.ports.processor import DONE, Item, Outcome
from proto.record import DocumentRecord, Schema, decode_document
from repo.api import Repo
from repo.rows import Schemas
from repo.system import CONTENT, document_table


class Publisher:
    """proto.ports.processor.Processor over the publications topic.

    The sequence is the content's commit timestamp. A document that has changed again meanwhile is published once, as
    it is now.
    """

    def __init__(self, repo: Repo, log: Log, schemas: Schemas, clock: Clock) -> None:
        self._repo, self._log, self._schemas, self._clock = repo, log, schemas, clock
        self._announced: set[int] = set()
        self._watermark = 0
        self.published = 0

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        wanted: dict[str, dict[bytes, tuple[Cause, float]]] = {}
        for item in batch:
            _, changes = decode_document_changes(item.value)
            reasons = [(reason, changes.build_ms) for reason in changes.reasons]
            keys = wanted.setdefault(changes.type, {})
            for key, cause in zip(changes.keys, changes.causes, strict=True):
                keys[key] = reasons[cause]
        messages: list[bytes] = []
        for document_type, keys in wanted.items():
            self._messages(document_type, keys, messages)
        if messages:
            self._log.append(DOCUMENTS, 0, messages)
        return [DONE] * len(batch)

    def heartbeat(self, watermark: int) -> None:
        """Says that everything up to `watermark` is published, or was found unchanged."""
        if watermark > self._watermark:
            self._watermark = watermark
            beat = DeltaDocument("heartbeat", watermark=watermark, publish_ms=self._clock.now_ms())
            self._log.append(DOCUMENTS, 0, [encode(beat)])

    def _messages(self, document_type: str, wanted: dict[bytes, tuple[Cause, float]], messages: list[bytes]) -> None:
        now_ms = self._clock.now_ms()
        announced = self._announced
        with self._repo.snapshot() as snapshot:
            versions = snapshot.read(document_table(document_type), CONTENT, list(wanted))
        for (key, (cause, build_ms)), version in zip(wanted.items(), versions, strict=True):
            if version is None or version.value is None:
                continue
            schema = schema_of(version.value)
            if schema not in announced:
                messages.append(self._announce(schema))
            delta = DeltaDocument(
                "document", document_type, key, version.commit_timestamp, version.value, 0,
                cause.lane, cause.commit_ms, cause.capture_ms, cause.apply_ms, build_ms, now_ms,
            )  # fmt: skip
            messages.append(encode(delta))
        self.published += len(wanted)

    def _announce(self, schema_id: int) -> bytes:
        """A schema goes out before the first document that needs it, once for each publisher's life."""
        self._announced.add(schema_id)
        return encode(DeltaDocument("schema", content=encode(Schema(self._schemas.names(schema_id)))))


def schema_of(content: bytes) -> int:
    """The schema id of an encoded DocumentRecord, without decoding the rest: it is the first element of the array."""
    if content[1] == 0xCE:
        return int.from_bytes(content[2:6], "big")
    schema: DocumentRecord = decode_document(content)
    return schema.schema
