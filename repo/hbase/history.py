"""All versions of one cell that a snapshot sees."""

from repo.hbase.catalog import Layout
from repo.hbase.cells import Cells
from repo.hbase.ladder import Committed, ReadLadder, bound
from repo.hbase.shadow_cells import decode_shadow, shadow_column

_PAGE = 100


def history(cells: Cells, ladder: ReadLadder, layout: Layout, key: bytes, snapshot: int, limit: int) -> list[Committed]:
    """Newest first, tombstones too. Costs two calls for each hundred versions."""
    table, column = layout.table, layout.column
    found: list[Committed] = []
    before = bound(snapshot)
    while len(found) < limit:
        page = cells.versions(table, key, column, before, _PAGE)
        paired = {
            stored.timestamp: decode_shadow(stored.value)
            for stored in cells.versions(table, key, shadow_column(column), before, _PAGE)
        }
        unpaired = {version.timestamp: [key] for version in page if version.timestamp not in paired}
        committed = {**paired, **ladder.commit_timestamps(table, column, unpaired)}
        for id, value in page:
            timestamp = committed.get(id)
            if timestamp is not None and timestamp <= snapshot:
                found.append(Committed(id, timestamp, value))
        if len(page) < _PAGE:
            break
        before = page[-1].timestamp
    return found[:limit]
