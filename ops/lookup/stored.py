"""What the Repo says of one document, at one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.lookup.condition import unmet
from ops.lookup.published import find
from ops.lookup.read_rows import Reading, ReadRow, row_text
from ops.opened import DataFolder
from ops.row_view import read_row
from proto.events import DOCUMENTS
from proto.flows.model import Document, Signal, Table
from proto.record import DocumentRecord, SignalReading, decode_build, decode_document
from repo.api import Snapshot
from repo.source_states import read_source_states
from repo.system import BUILD, CONTENT, SourceState, document_table
from ui.why import facts
from ui.why.words import value_text

_VERSIONS_MAX = 20
"""Looked at to find the newest that was published."""


@dataclass(frozen=True, slots=True)
class Stored:
    """source: its state, None before anything of it was applied. rows: that the document reads; own: (table, key) of
    those that its fields have read by themselves; parts: of its condition, that are not true."""

    source: SourceState | None
    row: facts.Row
    document: facts.Document
    rows: Sequence[ReadRow]
    own: Sequence[tuple[str, bytes]]
    parts: Sequence[facts.Part]
    signals: Sequence[facts.Signal]


def read_stored(
    folder: DataFolder, snapshot: Snapshot, document: Document, reading: Reading, source: str, key: bytes
) -> Stored:
    """key: of the document, and of its root row."""
    table = document_table(document.name)
    (state,) = read_source_states(snapshot, [source])
    (build,) = snapshot.read(table, BUILD, [key])
    built = decode_build(build.value) if build is not None and build.value is not None else None
    versions = snapshot.history(table, CONTENT, key, _VERSIONS_MAX)
    contents = [(one.commit_timestamp, decode_document(one.value)) for one in versions if one.value is not None]
    sequence, record = contents[0] if contents else (0, DocumentRecord(0, None))
    rows = reading.rows(snapshot, key)
    readings = {one.signal: one for one in (built.signals or () if built is not None else ())}
    return Stored(
        source=state,
        row=_root_row(folder, snapshot, folder.flows.tables[document.root], key),
        document=facts.Document(
            sequence=sequence,
            exists=record.values is not None,
            servable=record.servable,
            built_at=built.built_at if built is not None else 0,
            served=_served(folder, document.name, key, contents),
        ),
        rows=rows,
        own=list(built.reads or ()) if built is not None else [],
        parts=unmet(folder, snapshot, document, rows, readings)
        if record.values is not None and not record.servable
        else [],
        signals=[
            _signal(signal, readings[signal.name], built.blocked if built is not None else "")
            for signal in (known.signal for known in reading.plan.signals)
            if signal.name in readings
        ],
    )


def _signal(signal: Signal, reading: SignalReading, blocked: str) -> facts.Signal:
    return facts.Signal(
        name=signal.name,
        key=value_text(reading.key),
        state=reading.state,
        known=reading.fetched_ms > 0.0,
        fetched_ms=reading.fetched_ms,
        version=reading.version,
        max_age_s=signal.max_age_s,
        on_failure=signal.on_failure,
        blocks=blocked.endswith(f" {signal.name}"),
    )


def _root_row(folder: DataFolder, snapshot: Snapshot, table: Table, key: bytes) -> facts.Row:
    """in_source is not known here."""
    stored = read_row(snapshot, folder.schemas, table, key)
    if stored is None:
        return facts.Row(row_text(table.name, key), False, 0, "", None)
    return facts.Row(row_text(table.name, key), stored.known, stored.deleted_at, stored.deleted_by, None)


def _served(
    folder: DataFolder, document_type: str, key: bytes, contents: Sequence[tuple[int, DocumentRecord]]
) -> bool | None:
    """Whether the newest version that is published may be served. contents: newest first."""
    for sequence, record in contents:
        if find(folder.log, document_type, key, sequence) is not None:
            return record.servable and record.values is not None
    forgotten = contents and folder.log.bounds(DOCUMENTS, 0)[0] > 0  # readers have it from earlier
    return contents[0][1].servable if forgotten else None
