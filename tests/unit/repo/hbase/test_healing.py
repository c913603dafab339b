"""Which versions without a shadow cell get one from those who read them."""

from collections import deque
from typing import Any

from repo.hbase.commit_cache import CommitCache
from repo.hbase.commit_table import FAMILIES, CommitTable
from repo.hbase.healing import Healing
from repo.hbase.ladder import ReadLadder
from repo.hbase.memory import MemoryCells
from repo.hbase.names import DATA_FAMILIES
from repo.hbase.shadow_cells import encode_shadow, shadow_column
from tests.support.engines import ManualClock

ROWS = [b"one", b"two"]


def test_a_row_is_healed_also_when_its_id_is_known_already() -> None:
    """It was looked up for another row; the sweep may remove what is found in the commit table now (F8)."""
    cells = MemoryCells(ManualClock())
    cells.require({"data": DATA_FAMILIES, "commits": FAMILIES})
    table, healing = CommitTable(cells, "commits"), Healing(cells)
    ladder = ReadLadder(cells, table, CommitCache(10), healing)
    cells.put("data", 200, {row: {b"d:a": b"value"} for row in ROWS})
    table.put(((200, 250),))
    for row in ROWS:
        assert list(ladder.read("data", b"d:a", [row], snapshot=300).visible) == [row]
    healing.flush()
    shadow = shadow_column(b"d:a")
    assert cells.get("data", ROWS, [shadow]) == {row: {shadow: (200, encode_shadow(250))} for row in ROWS}


def test_threads_may_heal_at_once() -> None:
    """One takes the last that waits between the look and the grasp of another one."""
    cells = MemoryCells(ManualClock())
    cells.require({"data": DATA_FAMILIES})
    healing = Healing(cells)

    class Overtaken(deque[Any]):
        def popleft(self) -> Any:
            overtaking.popleft()()
            return super().popleft()

    overtaking = deque([lambda: None, healing.flush, lambda: None, lambda: None])
    healing._waiting = Overtaken()
    healing.add("data", b"d:a", ROWS, 200, 250)
    healing.flush()
    shadow = shadow_column(b"d:a")
    assert cells.get("data", ROWS, [shadow]) == {row: {shadow: (200, encode_shadow(250))} for row in ROWS}
