"""What the oracle puts into the commit table, and what the sweep takes out again."""

import pytest

from repo.hbase.commit_table import BUCKETS, COMMIT, FAMILIES, INVALID, CommitTable, row_of
from tests.support.scripted_cells import ScriptedCells

TABLE = "OMID_COMMIT_TABLE"
COLUMNS = (COMMIT, INVALID)


@pytest.fixture
def cells() -> ScriptedCells:
    cells = ScriptedCells()
    cells.require({TABLE: FAMILIES})
    return cells


def test_a_batch_is_one_call_and_repeating_it_changes_nothing(cells: ScriptedCells) -> None:
    table = CommitTable(cells, TABLE)
    table.put(((300, 500), (200, 501)))
    once = cells.get(TABLE, [row_of(200), row_of(300)], COLUMNS)
    table.put(((300, 500), (200, 501)))
    assert cells.calls == ["put", "get", "put"]
    assert cells.get(TABLE, [row_of(200), row_of(300)], COLUMNS) == once
    assert {cell.timestamp for row in once.values() for cell in row.values()} == {200}


def test_many_are_looked_up_in_one_call_and_absent_ones_are_left_out(cells: ScriptedCells) -> None:
    table = CommitTable(cells, TABLE)
    table.put(((300, 500), (200, 501)))
    cells.calls.clear()
    assert table.look_up([200, 250, 300]) == {200: 501, 300: 500}
    assert cells.calls == ["get"]
    assert table.look_up([]) == {}


def test_what_omids_transactions_write_after_a_checkpoint_is_theirs(cells: ScriptedCells) -> None:
    table = CommitTable(cells, TABLE)
    table.put(((200, 500), (300, 550)))
    cells.calls.clear()
    assert table.look_up([200, 249, 299, 300, 301, 349]) == {200: 500, 249: 500, 300: 550, 301: 550, 349: 550}
    assert cells.calls == ["get"]


def test_an_invalid_one_is_not_committed(cells: ScriptedCells) -> None:
    """F11, and Omid's rule: F:IT wins over F:C."""
    table = CommitTable(cells, TABLE)
    table.put(((300, 500),))
    cells.put(TABLE, 301, {row_of(300): {INVALID: b"\0\0\0\1"}, row_of(400): {INVALID: b"\0\0\0\1"}})
    assert table.look_up([300, 400]) == {}
    assert [table.scan(id % BUCKETS, 0, 1_000, 10) for id in (300, 400)] == [[(300, 0)], [(400, 0)]]


def test_the_sweep_sees_each_row_below_its_bound_once_and_removes_it(cells: ScriptedCells) -> None:
    table = CommitTable(cells, TABLE)
    table.put(tuple((id, id + 1_000) for id in range(1, 200)))
    found = [row for bucket in range(BUCKETS) for row in table.scan(bucket, 0, 150, limit=100)]
    assert sorted(found) == [(id, id + 1_000) for id in range(1, 150)]
    assert table.scan(5, 5, 150, limit=2) == [(21, 1_021), (37, 1_037)]
    table.remove([id for id, _ in found])
    assert sorted(table.look_up(range(1, 200))) == list(range(150, 200))


def test_a_put_that_lands_after_the_sweep_does_not_bring_the_row_back(cells: ScriptedCells) -> None:
    table = CommitTable(cells, TABLE)
    batch = ((300, 500), (200, 501))
    table.put(batch)
    table.remove([200, 300])
    table.put(batch)
    assert table.look_up([200, 300]) == {}
