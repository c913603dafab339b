"""Traces, put together from what is kept anyway: nothing is stored for them.

The times of a version stand in its message on the documents topic; its cause in the notification of that commit; what
changed in the histories of document and rows; when it was readable in ops.engine.served. So a trace is kept as long as
these are: `retention.documents_messages` in all, `retention.versions_h` of one document.
"""

from ops.addresses import shown_id, source_of
from ops.document_view import whole_of
from ops.engine.served import ServedTimes, read_served
from ops.lookup.causes import changed_rows
from ops.lookup.published import Published, find, newest
from ops.lookup.read_rows import Reading
from ops.opened import DataFolder
from ops.row_view import OLDEST_KEPT, compared, is_collected, row_changes
from proto.errors import TooOldError
from proto.events import RowChange
from proto.lane import Lane
from proto.record import decode_document
from repo.api import Snapshot
from repo.system import CONTENT, document_table
from ui.traces import CausingRow, Trace

_ROWS_MAX = 20
"""Of one cause."""
_HISTORY_MAX = 50


def document_traces(folder: DataFolder, document_type: str, key: bytes, limit: int) -> list[Trace]:
    """The last versions of one document, newest first."""
    served = read_served(folder.path)
    reading = Reading(folder, folder.flows.documents[document_type])
    with folder.repo.snapshot() as snapshot:
        versions = snapshot.history(document_table(document_type), CONTENT, key, limit + 1)
        records = [None if one.value is None else decode_document(one.value) for one in versions]
        contents = [whole_of(record, folder.schemas) for record in records]
        traces = []
        for at, version in enumerate(versions[:limit]):
            new, old = contents[at], contents[at + 1] if at + 1 < len(contents) else None
            published = find(folder.log, document_type, key, version.commit_timestamp)
            trace = _trace(document_type, key, version.commit_timestamp, published, served)
            trace.what = "deleted" if new is None else "created" if old is None else "changed"
            trace.fields = compared(old, new)
            if at + 1 == len(versions) and new is not None and is_collected(folder.repo, version.commit_timestamp):
                trace.what, trace.fields = OLDEST_KEPT, None
            if published is not None:
                trace.rows = _rows(folder, snapshot, reading, published)
            traces.append(trace)
    return traces


def recent_traces(folder: DataFolder, count: int) -> list[Trace]:
    """What was published last, newest first. rows: their tables only."""
    served = read_served(folder.path)
    tables: dict[int, list[CausingRow]] = {}
    traces = []
    for published in newest(folder.log, count):
        delta = published.delta
        trace = _trace(delta.type, delta.key, delta.sequence, published, served)
        if delta.change not in tables:
            names = {row.table for row in changed_rows(folder.log, delta.change)}
            tables[delta.change] = [CausingRow(table=name, id=None) for name in sorted(names)]
        trace.rows = tables[delta.change]
        traces.append(trace)
    return traces


def _trace(document_type: str, key: bytes, sequence: int, published: Published | None, served: ServedTimes) -> Trace:
    trace = Trace(
        type=document_type, id=shown_id(key), source=source_of(key), sequence=sequence, kind="unpublished"
    )  # fmt: skip
    if published is None:
        return trace
    delta = published.delta
    trace.kind = "edit" if delta.commit_ms else "backfill" if delta.capture_ms else "rebuild"
    trace.lane = Lane(delta.lane).name.lower()
    trace.change = delta.change
    trace.at_ms = {
        "committed": delta.commit_ms or None,
        "captured": delta.capture_ms or None,
        "applied": delta.apply_ms or None,
        "built": delta.build_ms or None,
        "published": delta.publish_ms or None,
        "serving": served.at(published.offset),
    }
    return trace


def _rows(folder: DataFolder, snapshot: Snapshot, reading: Reading, published: Published) -> list[CausingRow]:
    """The rows of the cause that the document reads; all of them when it is not known to read any."""
    delta = published.delta
    changes = changed_rows(folder.log, delta.change)
    read = _read_by(folder, reading, delta.key, delta.sequence) if len(changes) > 1 else set()
    relevant = [change for change in changes if _concerns(change, read)] or changes
    return [_row(folder, snapshot, change, delta.change) for change in relevant[:_ROWS_MAX]]


def _read_by(folder: DataFolder, reading: Reading, key: bytes, sequence: int) -> set[bytes]:
    """Keys of the rows that the document has read, each behind its table's name."""
    try:
        with folder.snapshot(sequence) as snapshot:
            return {row.table.encode() + row.key for row in reading.rows(snapshot, key) if row.key is not None}
    except TooOldError:
        return set()


def _concerns(change: RowChange, read: set[bytes]) -> bool:
    """The document reads the row, or a row in whose collection it is or was."""
    if change.table.encode() + change.key in read:
        return True
    for name, parents in (change.references or {}).items():
        owner, dot, _ = name.partition(".")
        if dot and any(parent is not None and owner.encode() + parent in read for parent in parents):
            return True
    return False


def _row(folder: DataFolder, snapshot: Snapshot, change: RowChange, timestamp: int) -> CausingRow:
    row = CausingRow(table=change.table, id=shown_id(change.key))
    table = folder.flows.tables.get(change.table)
    if table is None:
        return row
    found = row_changes(snapshot, folder.schemas, table, change.key, _HISTORY_MAX)
    for one in (one for one in found if one.at == timestamp):
        row.writer = one.writer
        if one.what == "inserted" and change.columns:
            continue  # it was changed, and what there was before is kept no longer
        row.what = one.what
        row.columns |= one.values
    return row
