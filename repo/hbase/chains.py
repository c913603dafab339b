"""What the collector finds of a cell: the version that stays, and what lies on it. It heals all that it meets."""

from collections.abc import Mapping
from typing import NamedTuple

from repo.hbase.catalog import Layout
from repo.hbase.cells import Cells, Row
from repo.hbase.commit_cache import CommitCache
from repo.hbase.commit_table import CommitTableReader
from repo.hbase.healing import Healing
from repo.hbase.ladder import Committed, ReadLadder, by_id, shadow_of
from repo.hbase.names import DELETED


class Chain(NamedTuple):
    """kept: the newest version committed at or below the watermark, which stays; None if there is none. uncommitted:
    ids above it that nobody has committed, newest first; committed: whether any other above it is."""

    kept: Committed | None
    uncommitted: list[int]
    committed: bool


def chains(
    cells: Cells, commit_table: CommitTableReader, layout: Layout, rows: Mapping[bytes, Row], watermark: int
) -> dict[bytes, Chain]:
    """Goes down each cell's versions to the one that stays, as the ladder does. When it returns, all that it has passed
    has its shadow cells (F8). Raises UnavailableError."""
    healing = Healing(cells, waiting_max=None)
    # Without a cache of before: whatever lacks its shadow cell must be looked up, to be healed.
    ladder = ReadLadder(cells, commit_table, CommitCache(), healing)
    table, column = layout.table, layout.column
    found = {row: Chain(None, [], False) for row in rows}
    marked = {row: columns for row, columns in rows.items() if DELETED in columns}
    while rows:
        versions = {row: columns[column] for row, columns in rows.items() if column in columns}
        paired = {row: shadow_of(rows[row], column) for row in versions}
        unpaired = [row for row in versions if paired[row] is None]
        told = ladder.commit_timestamps(table, column, by_id(versions, unpaired))
        older: dict[int, list[bytes]] = {}
        for row, (id, value) in versions.items():
            timestamp, chain = paired[row] or told.get(id), found[row]
            if timestamp is not None and timestamp <= watermark:
                found[row] = chain._replace(kept=Committed(id, timestamp, value))
                continue
            older.setdefault(id, []).append(row)
            if timestamp is None:
                chain.uncommitted.append(id)
            else:
                found[row] = chain._replace(committed=True)
        rows = ladder.next_older(table, column, older)
    _heal_marks(ladder, table, marked)
    healing.flush()
    return found


def _heal_marks(ladder: ReadLadder, table: str, rows: Mapping[bytes, Row]) -> None:
    """All of Omid's marks. They stay, and so does what they hide: without them it would be seen again."""
    while rows:
        marks = {row: columns[DELETED] for row, columns in rows.items()}
        unpaired = [row for row in rows if shadow_of(rows[row], DELETED) is None]
        ladder.commit_timestamps(table, DELETED, by_id(marks, unpaired))
        older = ladder.next_older(table, DELETED, by_id(marks, marks))
        rows = {row: columns for row, columns in older.items() if DELETED in columns}
