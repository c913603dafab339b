"""A stored document as the JSON that scripts get, and as lines for people."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.addresses import shown_address, shown_id, source_of
from ops.times import ago_of, clock_time_of
from proto.record import BuildRecord, DocumentRecord, decode_build, decode_document
from repo.api import Snapshot, Version
from repo.rows import Schemas
from repo.system import BUILD, CONTENT, document_table


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One version of a document that is not deleted.

    built_at  timestamp that the newest build read at; None when that build is later than the snapshot (time travel)
    fields    stored values by name
    """

    type: str
    key: bytes
    sequence: int
    built_at: int | None
    servable: bool
    missing: tuple[str, ...]
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """What `doc --json` and `docs --json` print; render.print_json makes base64 of bytes."""
        return {
            "type": self.type,
            "id": shown_id(self.key),
            "source": source_of(self.key),
            "sequence": self.sequence,
            "built_at": self.built_at,
            "servable": self.servable,
            "fields": self.fields,
            "missing": list(self.missing),
        }

    def address(self, sources: Sequence[str]) -> str:
        """`ad/4711`."""
        return shown_address(self.type, self.key, sources)

    def state(self) -> str:
        return "servable" if self.servable else "not servable"

    def when(self, now_ms: float) -> str:
        """When the content last changed, for people."""
        return f"{clock_time_of(self.sequence)} UTC, {ago_of(self.sequence, now_ms)}"


def read_documents(
    snapshot: Snapshot, schemas: Schemas, document_type: str, keys: Sequence[bytes]
) -> list[StoredDocument | None]:
    """In the order of `keys`; None for what is not there."""
    contents = snapshot.read(document_table(document_type), CONTENT, keys)
    return with_builds(snapshot, schemas, document_type, list(zip(keys, contents, strict=True)))


def with_builds(
    snapshot: Snapshot, schemas: Schemas, document_type: str, contents: Sequence[tuple[bytes, Version | None]]
) -> list[StoredDocument | None]:
    """Contents that were read already, with the time of their builds."""
    builds = snapshot.read(document_table(document_type), BUILD, [key for key, _ in contents])
    return [
        _stored(document_type, key, content, build, snapshot.timestamp, schemas)
        for (key, content), build in zip(contents, builds, strict=True)
    ]


def fields_of(record: DocumentRecord, schemas: Schemas) -> dict[str, Any]:
    """Stored values by name; empty for a tombstone."""
    return {} if record.values is None else dict(zip(schemas.names(record.schema), record.values, strict=True))


def whole_of(record: DocumentRecord | None, schemas: Schemas) -> dict[str, Any] | None:
    """Fields, and what else a document says, in parentheses; None for a tombstone."""
    if record is None or record.values is None:
        return None
    return {**fields_of(record, schemas), "(servable)": record.servable, "(missing)": record.missing or None}


def json_value(value: Any) -> Any:
    """A stored value as JSON has it: bytes as base64; decimals and times are text already."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {name: json_value(item) for name, item in value.items()}
    return value


def _stored(
    document_type: str,
    key: bytes,
    content: Version | None,
    build: Version | None,
    snapshot_timestamp: int,
    schemas: Schemas,
) -> StoredDocument | None:
    if content is None or content.value is None:
        return None
    record = decode_document(content.value)
    if record.values is None:
        return None
    return StoredDocument(
        document_type,
        key,
        content.commit_timestamp,
        _built_at(build, snapshot_timestamp),
        record.servable,
        tuple(record.missing or ()),
        fields_of(record, schemas),
    )


def _built_at(build: Version | None, snapshot_timestamp: int) -> int | None:
    """The newest build is the only one kept: it says nothing about an older snapshot."""
    if build is None or build.value is None:
        return None
    record: BuildRecord = decode_build(build.value)
    return record.built_at if build.commit_timestamp <= snapshot_timestamp else None
