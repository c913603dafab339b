"""Omid's own client (1.1.3, Java) reads what our engine has committed, on a real HBase."""

from repo.api import Transaction
from repo.hbase.commit_table import COMMIT, INVALID
from repo.hbase.names import ENTRY
from repo.hbase.prepared import ENTRY_PREFIX
from repo.hbase.shadow_cells import encode_shadow
from repo.oracle.port import CommitRequest
from tests.support.omid_world import DATA, LINKS, OmidWorld, new_row


def test_it_reads_by_shadow_cell(world: OmidWorld) -> None:
    row = new_row()
    committed = world.write({row: b"one"})
    assert world.omid_reads(row, committed) == b"one"


def test_it_reads_by_commit_table_and_heals(world: OmidWorld) -> None:
    row = new_row()
    committed = world.write({row: b"one"}, dying=True)
    id = world.version_of(row)
    assert world.shadow(row) is None and COMMIT in world.committed(id)
    assert world.omid_reads(row, committed) == b"one"
    assert world.shadow(row) == (id, encode_shadow(committed)), "as we would have written it"
    assert world.read(row, committed) == (committed, b"one")


def test_it_sees_nothing_newer_than_its_start(world: OmidWorld) -> None:
    row, lost = new_row(), new_row()
    before = world.write({row: b"old", lost: b"old"})
    world.omid.begin(before)
    after = world.write({row: b"new", lost: None})
    after = world.write({lost: b"newer"}, after, dying=True)
    assert [world.omid.get(world.table, one, DATA) for one in (row, lost)] == [b"old", b"old"]
    world.omid.rollback()
    assert [world.omid_reads(one, after) for one in (row, lost)] == [b"new", b"newer"]


def test_it_does_not_see_what_is_not_committed(world: OmidWorld) -> None:
    row, never = new_row(), new_row()
    committed = world.write({row: b"old"})
    [begun] = world.oracle.begin(at_least=committed)
    world.cells.put(world.table, begun.id, {row: {DATA: b"tentative"}, never: {DATA: b"tentative"}})
    assert [world.omid_reads(one, begun.id) for one in (row, never)] == [b"old", b""]


def test_what_we_delete_is_gone_for_it(world: OmidWorld) -> None:
    row, lost = new_row(), new_row()
    world.write({row: b"one", lost: b"one"})
    deleted = world.write({row: None})
    deleted = world.write({lost: None}, deleted, dying=True)
    assert [world.omid_reads(one, deleted) for one in (row, lost)] == [b"", b""]
    again = world.write({row: b"two"}, deleted)
    assert world.omid_reads(row, again) == b"two"


def test_it_takes_no_transactions_commit_for_anothers(world: OmidWorld) -> None:
    """It looks each version up in the row of the multiple of 50 below: every second one of these is committed."""
    rows = [new_row() for _ in range(40)]
    begun = world.oracle.begin(len(rows))
    for row, one in zip(rows, begun, strict=True):
        world.cells.put(world.table, one.id, {row: {DATA: row}})
    decisions = world.oracle.commit([CommitRequest(*one, written=(one.id,)) for one in begun[::2]])
    after = max(decision.timestamp for decision in decisions)
    world.omid.begin(after)
    found = world.omid.scan(world.table, DATA)
    world.omid.rollback()
    assert {row: found.get(row) for row in rows} == {
        row: row if place % 2 == 0 else None for place, row in enumerate(rows)
    }


def test_it_reads_many_that_were_committed_as_one(world: OmidWorld) -> None:
    snapshot, rows = world.snapshot().timestamp, [new_row() for _ in range(50)]
    transactions = [Transaction(snapshot) for _ in rows]
    for transaction, row in zip(transactions, rows, strict=True):
        transaction.write("items", row, "a", row)
    outcomes = world.repo.commit(transactions)
    world.omid.begin(max(outcome.commit_timestamp for outcome in outcomes))
    found = world.omid.scan(world.table, DATA)
    world.omid.rollback()
    assert [found.get(row) for row in rows] == rows


def test_an_index_is_a_table_like_any_other(world: OmidWorld) -> None:
    """With a byte before each value."""
    row, empty = new_row(), new_row()
    transaction = Transaction(world.snapshot().timestamp)
    transaction.write_index(LINKS, row, b"value")
    transaction.write_index(LINKS, empty, b"")
    (outcome,) = world.repo.commit([transaction])
    world.omid.begin(outcome.commit_timestamp)
    assert world.omid.get(world.links, row, ENTRY) == ENTRY_PREFIX + b"value"
    assert world.omid.get(world.links, empty, ENTRY) == ENTRY_PREFIX
    world.omid.rollback()


def test_what_it_has_declared_dead_is_dead_for_us_too(world: OmidWorld) -> None:
    """F:IT beats F:C. Only its readers put it, never ours."""
    row = new_row()
    committed = world.write({row: b"old"})
    [begun] = world.oracle.begin(at_least=committed)
    world.cells.put(world.table, begun.id, {row: {DATA: b"dead"}})
    assert world.omid.invalidate(begun.id)
    assert world.committed(begun.id)[INVALID].value == b"\0\0\0\1"
    world.commit_table.put(((begun.id, begun.id + 50),))  # as an oracle that knows nothing of it
    assert set(world.committed(begun.id)) == {COMMIT, INVALID}
    after = begun.id + 50
    assert world.omid_reads(row, after) == b"old"
    assert world.read(row, after) == (committed, b"old")
    world.repo.collect_garbage(0)
    assert world.shadow(row) is not None
    assert world.shadow(row) != (begun.id, encode_shadow(after)), "it must not be healed"


def test_what_we_have_committed_it_can_not_declare_dead(world: OmidWorld) -> None:
    row = new_row()
    committed = world.write({row: b"one"}, dying=True)
    assert not world.omid.invalidate(world.version_of(row))
    assert world.omid_reads(row, committed) == b"one"
