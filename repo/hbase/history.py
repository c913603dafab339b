"""All versions of one cell that a snapshot sees."""

from repo.hbase.catalog import Layout
from repo.hbase.cells import Cells
from repo.hbase.ladder import Committed, ReadLadder, bound
from repo.hbase.names import DELETED
from repo.hbase.shadow_cells import decode_shadow, shadow_column

_PAGE = 100


def history(cells: Cells, ladder: ReadLadder, layout: Layout, key: bytes, snapshot: int, limit: int) -> list[Committed]:
    """Newest first, tombstones too. Costs a call, and two more for each hundred versions, four where some are not
    committed."""
    found = _versions(cells, ladder, layout.table, layout.column, key, snapshot, limit)
    if cells.versions(layout.table, key, DELETED, bound(snapshot), 1):
        marks = _versions(cells, ladder, layout.table, DELETED, key, snapshot, limit)
        for mark in reversed(marks):
            at = next((at for at, version in enumerate(found) if version.id <= mark.commit_timestamp), None)
            if at is not None and found[at].value:
                found.insert(at, mark)
    return found[:limit]


def _versions(
    cells: Cells, ladder: ReadLadder, table: str, column: bytes, key: bytes, snapshot: int, limit: int
) -> list[Committed]:
    """Of one column."""
    found: list[Committed] = []
    before = bound(snapshot)
    while len(found) < limit:
        page = cells.versions(table, key, column, before, _PAGE)
        paired = {
            stored.timestamp: decode_shadow(stored.value)
            for stored in cells.versions(table, key, shadow_column(column), before, _PAGE)
        }
        unpaired = {version.timestamp: [key] for version in page if version.timestamp not in paired}
        told = ladder.commit_timestamps(table, column, unpaired)
        committed, there = {**paired, **told}, {version.timestamp for version in page}
        if len(told) < len(unpaired):  # it was healed, swept and collected meanwhile, perhaps, and all below with it
            there = {version.timestamp for version in cells.versions(table, key, column, before, _PAGE)}
        for id, value in page:
            if id not in there:
                continue
            timestamp = committed.get(id)
            if timestamp is not None and timestamp <= snapshot:
                found.append(Committed(id, timestamp, value))
        if len(page) < _PAGE:
            break
        before = page[-1].timestamp
    return found[:limit]
