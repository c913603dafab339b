"""What only the twin can be asked for: a major compaction, and regions that are cut."""

from repo.hbase.cells import Family, Stored
from repo.hbase.memory import MemoryCells
from tests.support.engines import ManualClock

A = b"d:a"


def filled(versions: int) -> MemoryCells:
    cells = MemoryCells(ManualClock())
    cells.require({"t": {"d": Family(versions)}})
    for timestamp in (10, 20, 30, 40):
        cells.put("t", timestamp, {b"r": {A: b"v"}})
    return cells


def test_a_compaction_leaves_as_many_versions_as_the_family_keeps() -> None:
    cells = filled(versions=2)
    assert cells.get("t", [b"r"], [A], 30) == {b"r": {A: Stored(20, b"v")}}
    cells.compact()
    assert cells.get("t", [b"r"], [A], 30) == {}
    assert cells.get("t", [b"r"], [A], 40) == {b"r": {A: Stored(30, b"v")}}


def test_rows_that_are_empty_after_a_compaction_are_gone_from_scans_and_come_back_when_written() -> None:
    cells = filled(versions=1)
    cells.delete("t", 40, {b"r": [A]})
    cells.compact()
    assert cells.scan("t", b"", None, [b"d"], None, 10) == []
    cells.put("t", 50, {b"r": {A: b"new"}})
    assert cells.scan("t", b"", None, [b"d"], None, 10) == [(b"r", {A: Stored(50, b"new")})]


def test_regions_are_cut() -> None:
    cells = filled(versions=1)
    for at in (b"m", b"f", b"m"):
        cells.split("t", at)
    assert cells.regions("t") == [(b"", b"f"), (b"f", b"m"), (b"m", None)]
