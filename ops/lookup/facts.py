"""Collects what `ui.why` decides by, from a data folder, its processes, and its source."""

from collections.abc import Iterator

from ops.addresses import shown_address, shown_id, source_of
from ops.lookup.present import Present
from ops.lookup.read_rows import Reading, row_text
from ops.lookup.stored import Stored, read_stored
from ops.lookup.touching import Touching
from ops.lookup.traces import document_traces
from ops.opened import DataFolder
from proto.flows.model import Flows
from proto.record import DROPPED
from ui.why import facts


def collect(folder: DataFolder, document_type: str, key: bytes, as_of: int | None) -> facts.Facts:
    """Everything about one document, now or as of a timestamp. Raises TooOldError for a time that is not kept."""
    document, source = folder.flows.documents[document_type], source_of(key)
    reading = Reading(folder, document)
    with folder.snapshot(as_of) as snapshot:
        stored = read_stored(folder, snapshot, document, reading, source, key)
    tables = {node.table.name for node in reading.plan.nodes}
    parked = {} if stored.source is None else stored.source.parked
    parked_tables = {name: reason for name, reason in parked.items() if name in tables}
    touching = Touching(folder.flows, reading.plan, source, stored.rows, stored.own)
    now, row, trace = None, stored.row, None
    if as_of is None:
        present = Present(folder, document, key, stored, touching, tables)
        now = present.now()
        row = facts.Row(row.address, row.ever, row.deleted_at, row.deleted_by, *present.source[:2])
        trace = next(iter(document_traces(folder, document_type, key, 1)), None)
    return facts.Facts(
        type=document_type,
        id=shown_id(key),
        source=source,
        address=shown_address(document_type, key),
        called=f"{document_type.replace('_', ' ')} {row_text('', key)[1:]}",
        now_ms=folder.clock.now_ms(),
        as_of=as_of,
        row=row,
        document=stored.document,
        parked_rows={
            one.address: one.parked
            for one in stored.rows
            if one.parked and not one.parked.startswith(DROPPED)  # of those ui.why is told otherwise
        },
        parked_tables=parked_tables,
        missing=tuple(_missing(folder.flows, stored, parked_tables)),
        signals=tuple(stored.signals),
        condition=document.servable,
        parts=tuple(stored.parts),
        trace=trace,
        now=now,
    )


def _missing(flows: Flows, stored: Stored, parked_tables: dict[str, str]) -> Iterator[facts.Missing]:
    """Rows at the end of a reference that are not there. Of a NULL reference only when the condition fails by it."""
    lacking = [value.path for part in stored.parts for value in part.values if not value.exists]
    for row in stored.rows:
        if row.exists or row.parent < 0 or row.many:
            continue
        decides = any(path.startswith(f"{row.path}.") for path in lacking)
        if row.key is None and not decides:
            continue
        above = stored.rows[row.parent]
        table = flows.tables[above.table]
        reference = table.references[row.path.rpartition(".")[2]]
        pointer = f"{above.address}.{','.join(reference.columns)}"
        feed, by_key = flows.tables[row.table].feed, set(reference.columns) <= set(table.key)
        yield facts.Missing(row.path, row.address, pointer, decides, row.table in parked_tables, feed, by_key)
