"""Our engine reads what Omid's own client (1.1.3, Java) and oracle have committed, on a real HBase."""

from random import Random

import pytest

from repo.api import Version
from repo.hbase.cell_ids import cell_id
from repo.hbase.cells import Stored
from repo.hbase.commit_table import COMMIT, decode_commit
from repo.hbase.names import DELETED
from repo.hbase.shadow_cells import encode_shadow, shadow_column
from tests.support.omid_world import DATA, GROUP, ITEMS, SHADOW, OmidWorld, new_row


def test_we_read_by_shadow_cell(world: OmidWorld) -> None:
    row = new_row()
    start, committed = world.omid_writes({row: b"one"})
    assert world.committed(start) == {}, "it has cleaned up"
    assert world.read(row, committed) == Version(committed, b"one")


def test_we_read_by_commit_table_and_heal(world: OmidWorld) -> None:
    row = new_row()
    start, committed = world.omid_writes({row: b"one"}, dying=True)
    assert world.shadow(row) is None
    assert decode_commit(start, world.committed(start)[COMMIT].value) == committed
    assert world.read(row, committed) == Version(committed, b"one")
    world.repo.collect_garbage(0)
    assert world.shadow(row) == (start, encode_shadow(committed)), "as it would have written it"
    assert world.omid_reads(row, committed) == b"one"


def test_both_write_the_same_bytes(world: OmidWorld) -> None:
    ours, theirs = new_row(), new_row()
    committed = world.write({ours: b"one"})
    start, omid_committed = world.omid_writes({theirs: b"one"}, committed)
    id = world.version_of(ours)
    assert world.stored(ours) == {DATA: (id, b"one"), SHADOW: (id, encode_shadow(committed))}
    assert world.stored(theirs) == {DATA: (start, b"one"), SHADOW: (start, encode_shadow(omid_committed))}
    deleted = world.write({ours: None}, omid_committed)
    start, omid_deleted = world.omid_writes({theirs: None}, deleted)
    id = world.version_of(ours)
    assert world.stored(ours) == {DATA: (id, b""), SHADOW: (id, encode_shadow(deleted))}
    assert world.stored(theirs) == {DATA: (start, b""), SHADOW: (start, encode_shadow(omid_deleted))}


def test_we_see_nothing_newer_than_our_snapshot(world: OmidWorld) -> None:
    row = new_row()
    _, before = world.omid_writes({row: b"old"})
    snapshot = world.snapshot(before)
    start, after = world.omid_writes({row: b"new"}, snapshot.timestamp, dying=True)
    assert start > snapshot.timestamp
    assert snapshot.read(ITEMS, GROUP, [row]) == [Version(before, b"old")]
    assert world.read(row, after) == Version(after, b"new")


def test_we_do_not_see_what_it_has_not_committed(world: OmidWorld) -> None:
    row, never = new_row(), new_row()
    committed = world.write({row: b"old"})
    start = world.omid.begin(committed)
    for one in (row, never):
        world.omid.put(world.table, one, DATA, b"tentative")
    assert world.version_of(row) == start, "it is there"
    assert [world.read(one, start) for one in (row, never)] == [Version(committed, b"old"), None]
    world.omid.rollback()
    assert [world.read(one, start) for one in (row, never)] == [Version(committed, b"old"), None]


def test_what_it_deletes_is_gone_for_us(world: OmidWorld) -> None:
    row, lost = new_row(), new_row()
    written = world.write({row: b"one", lost: b"one"})
    _, deleted = world.omid_writes({row: None}, written)
    _, lost_deleted = world.omid_writes({lost: None}, deleted, dying=True)
    assert world.read(row, lost_deleted) == Version(deleted, None)
    assert world.read(lost, lost_deleted) == Version(lost_deleted, None)
    with world.snapshot(lost_deleted) as snapshot:
        assert snapshot.history(ITEMS, GROUP, row) == [Version(deleted, None), Version(written, b"one")]


@pytest.mark.parametrize("dying", [False, True])
@pytest.mark.parametrize("whole_row", [False, True])
def test_what_goes_with_its_family_or_row_is_gone_for_us(world: OmidWorld, whole_row: bool, dying: bool) -> None:
    """It writes one mark for all columns of a family; when it dies, only the commit table knows of it."""
    row, other = new_row(), new_row()
    first = world.write({row: b"one", other: b"other"})
    written = world.write({row: b"two"}, first)
    start = world.omid.begin(written, forgetful=dying)
    if whole_row:
        world.omid.delete_row(world.table, row)
    else:
        world.omid.delete_family(world.table, row, b"d")
    assert world.read(row, start) == Version(written, b"two"), "not yet"
    deleted = world.omid.commit()
    mark = Version(deleted, None)
    with world.snapshot(deleted) as snapshot:
        assert snapshot.read(ITEMS, GROUP, [row, other]) == [mark, Version(first, b"other")]
        assert row not in [key for key, _ in snapshot.scan(ITEMS, GROUP, limit=10_000)]
        assert snapshot.history(ITEMS, GROUP, row) == [mark, Version(written, b"two"), Version(first, b"one")]
    with world.repo.snapshot_at(written) as before:
        assert before.read(ITEMS, GROUP, [row]) == [Version(written, b"two")]
    again = world.write({row: b"again"}, deleted)
    assert world.read(row, again) == Version(again, b"again")
    with world.snapshot(again) as snapshot:
        assert snapshot.history(ITEMS, GROUP, row, limit=2) == [Version(again, b"again"), mark]
    assert world.omid_reads(row, again) == b"again"


def test_a_mark_that_nobody_commits_hides_nothing(world: OmidWorld) -> None:
    row = new_row()
    written = world.write({row: b"one"})
    start = world.omid.begin(written)
    world.omid.delete_family(world.table, row, b"d")
    assert world.read(row, start) == Version(written, b"one")
    world.omid.rollback()
    assert world.read(row, start) == Version(written, b"one")


def test_the_collector_heals_marks_before_it_sweeps(world: OmidWorld) -> None:
    row = new_row()
    written = world.write({row: b"one"})
    start = world.omid.begin(written, forgetful=True)
    world.omid.delete_family(world.table, row, b"d")
    deleted = world.omid.commit()
    world.repo.collect_garbage(0)
    mark, shadow = DELETED, shadow_column(DELETED)
    assert world.cells.get(world.table, [row], [mark, shadow])[row] == {
        mark: Stored(start, b""),
        shadow: Stored(start, encode_shadow(deleted)),
    }
    world.commit_table.remove([start])
    assert world.read(row, deleted) == Version(deleted, None)


def test_each_writes_on_top_of_the_other(world: OmidWorld) -> None:
    row = new_row()
    one = world.write({row: b"ours"})
    _, two = world.omid_writes({row: b"theirs"}, one)
    three = world.write({row: b"ours again"}, two, dying=True)
    _, four = world.omid_writes({row: None}, three, dying=True)
    five = world.write({row: b"the last"}, four)
    assert one < two < three < four < five
    with world.snapshot(five) as snapshot:
        assert snapshot.history(ITEMS, GROUP, row) == [
            Version(five, b"the last"),
            Version(four, None),
            Version(three, b"ours again"),
            Version(two, b"theirs"),
            Version(one, b"ours"),
        ]
    assert world.omid_reads(row, five) == b"the last"


def test_we_read_what_it_writes_after_a_checkpoint(world: OmidWorld) -> None:
    """The version is not its start, in whose row of the commit table it is."""
    for forgetful in (False, True):
        row, later = new_row(), new_row()
        start = world.omid.begin(0, forgetful)
        world.omid.put(world.table, row, DATA, b"first")
        version = world.omid.checkpoint()
        assert version == start + 1
        world.omid.put(world.table, row, DATA, b"second")
        world.omid.put(world.table, later, DATA, b"later")
        committed = world.omid.commit()
        assert world.read(row, committed) == Version(committed, b"second")
        assert world.read(later, committed) == Version(committed, b"later")


def test_cell_ids_are_equal(world: OmidWorld) -> None:
    random = Random(5)
    for _ in range(100):
        row, qualifier = random.randbytes(random.randint(1, 60)), random.randbytes(random.randint(1, 20))
        ours = cell_id(world.table.encode(), row, b"d", qualifier)
        assert world.omid.cell_id(world.table, row, b"d:" + qualifier) == ours
