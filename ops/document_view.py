"""A stored document as the JSON that scripts get, and as lines for people."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.addresses import shown_address, shown_id, source_of
from ops.times import ago_of, clock_time_of, iso
from proto.record import BuildRecord, DocumentRecord, SignalReading, decode_build, decode_document
from repo.api import Snapshot, Version
from repo.rows import Schemas
from repo.system import BUILD, CONTENT, document_table


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One version of a document that is not deleted.

    built_at  timestamp that the newest build read at; None when that build is later than the snapshot (time travel)
    fields    stored values by name
    signals   what the newest build has read of signals; empty when that build is later than the snapshot
    blocked   why the newest build left the content as it was: "signal_missing NAME", "signal_stale NAME"
    """

    type: str
    key: bytes
    sequence: int
    built_at: int | None
    servable: bool
    missing: tuple[str, ...]
    fields: Mapping[str, Any]
    signals: tuple[SignalReading, ...] = ()
    blocked: str = ""

    def as_json(self) -> dict[str, Any]:
        """What `docs --json` prints of each; render.print_json makes base64 of bytes."""
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

    def with_signals(self, now_ms: float) -> dict[str, Any]:
        """What `doc --json` prints: with the age of its signals, if it has any."""
        if not self.signals:
            return self.as_json()
        signals = {reading.signal: reading_json(reading, now_ms) for reading in self.signals}
        return {**self.as_json(), "signals": signals, "blocked": self.blocked or None}

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


def reading_json(reading: SignalReading, now_ms: float) -> dict[str, Any]:
    """One reading; version, fetched_at and age_s are null while the signal never said anything."""
    known = reading.fetched_ms > 0
    return {
        "state": reading.state,
        "key": reading.key,
        "version": reading.version or None,
        "fetched_at": iso(reading.fetched_ms) if known else None,
        "age_s": round(max(0.0, now_ms - reading.fetched_ms) / 1000.0, 3) if known else None,
    }


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
    built = _build_of(build, snapshot_timestamp)
    return StoredDocument(
        document_type,
        key,
        content.commit_timestamp,
        None if built is None else built.built_at,
        record.servable,
        tuple(record.missing or ()),
        fields_of(record, schemas),
        () if built is None else built.signals or (),
        "" if built is None else built.blocked,
    )


def _build_of(build: Version | None, snapshot_timestamp: int) -> BuildRecord | None:
    """The newest build is the only one kept: it says nothing about an older snapshot."""
    if build is None or build.value is None or build.commit_timestamp > snapshot_timestamp:
        return None
    record: BuildRecord = decode_build(build.value)
    return record
