"""The sweep takes every row below the horizon, a few at a time, and looks nowhere twice."""

from repo.hbase.commit_table import FAMILIES, CommitTable
from repo.hbase.memory import MemoryCells
from repo.hbase.sweep import Sweep
from tests.support.engines import ManualClock

TABLE = "commits"


class Watched(CommitTable):
    """looked_at: each range of ids that was scanned, by bucket."""

    def __init__(self, cells: MemoryCells) -> None:
        super().__init__(cells, TABLE)
        self.looked_at: list[tuple[int, int, int]] = []

    def scan(self, bucket: int, after: int, before: int, limit: int) -> list[tuple[int, int]]:
        found = super().scan(bucket, after, before, limit)
        self.looked_at.append((bucket, after, found[-1][0] if len(found) == limit else before - 1))
        return found


def test_every_row_below_the_horizon_goes_and_is_met_once() -> None:
    cells = MemoryCells(ManualClock())
    cells.require({TABLE: FAMILIES})
    table = Watched(cells)
    table.put(tuple((id, id + 50) for id in range(50, 5_050, 50)))
    sweep, horizons = Sweep(table), [2_550, 2_550, 2_550, 2_600, 5_000, 5_000, 5_000]
    left = [100]
    for horizon in horizons:
        sweep.run(horizon, limit=20)
        left.append(len(cells.scan(TABLE, b"", None, [b"F:C"], None, 1_000)))
    assert left == [100, 80, 60, 50, 49, 29, 9, 1], "at most 20 each time, and nothing above the horizon"
    for bucket in range(16):
        ranges = [(after, to) for looked, after, to in table.looked_at if looked == bucket]
        assert [after for after, _ in ranges] == [0, *[to for _, to in ranges[:-1]]]
