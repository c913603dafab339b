"""What garbage collection does on HBase beyond the port: the sweep, its order, what dead writers left."""

from itertools import count

import pytest

from repo.hbase.commit_table import CommitTable
from repo.hbase.gc_state import GcStateCell
from repo.hbase.names import TableNames
from repo.hbase.repo import HbaseSettings
from repo.oracle.settings import TRANSACTION_AGE_S
from tests.support.engines import ITEMS, key_of
from tests.support.watched_hbase import Calls, Killed, World

X = key_of("x")
NAMES = TableNames()
ROWS, COMMITS = NAMES.data(ITEMS), NAMES.commit_table
DATA, SHADOW = b"d:a", b"d:\x00\xc2\x80a\xc2\x80"
HOUR_MS = 3_600_000
_numbers = count()


@pytest.fixture
def world() -> World:
    return World()


def collected(world: World, calls: Calls | None = None, rounds: int = 3) -> int:
    """By a collector that has just come; a commit of another row is the newest."""
    newest = world.put(world.client(), **{f"newest {next(_numbers)}": b"x"})
    collector = world.client(calls)
    return sum(collector.collect_garbage(newest) for _ in range(rounds))


def versions(world: World, column: bytes = DATA) -> int:
    return len(world.cells.versions(ROWS, X, column, None, 100))


def commit_rows(world: World) -> int:
    return len(world.cells.scan(COMMITS, b"", None, [b"F:C"], None, 1000))


def test_data_and_shadow_cells_go_together(world: World) -> None:
    for number in range(5):
        world.put(world.client(), x=b"%d" % number)
    assert collected(world) == 4
    assert (versions(world), versions(world, SHADOW)) == (1, 1)


def test_no_setting_lets_a_transaction_live_until_it_is_taken_for_settled() -> None:
    """Its version would not be healed, and its commit-table row swept (F8)."""
    product = HbaseSettings()
    youngest_ms, oldest_ms = (1_000 * age_s for age_s in TRANSACTION_AGE_S)
    assert product.spare_id_ms_max <= youngest_ms / 2
    assert oldest_ms <= product.garbage.settled_ms / 2


def test_commit_table_rows_go_when_everything_below_is_healed(world: World) -> None:
    world.put_and_die(b"x", after="commit")
    for number in range(20):
        world.put(world.client(), **{str(number): b"x"})
    assert collected(world) == 0
    assert commit_rows(world) == 22, "younger than what any write may still land of"
    world.clock.ms += HOUR_MS
    collected(world)
    assert commit_rows(world) == 1, "the newest"
    assert versions(world, SHADOW) == 1
    with world.client().snapshot() as snapshot:
        (found,) = snapshot.read(ITEMS, "a", [X])
    assert found is not None and found.value == b"x"


def test_promises_are_written_before_anything_is_deleted(world: World) -> None:
    """F12: the watermark; F8: the sweep horizon."""
    for value in (b"1", b"2"):
        world.put(world.client(), x=value)
    world.clock.ms += HOUR_MS
    calls, state = Calls(), GcStateCell(world.cells, NAMES.gc, b"looking")
    before = state.read()

    def look(number: int) -> None:
        now = state.read()
        if calls.names[number] == f"delete {ROWS}":
            assert now.watermark > before.watermark
            looked.add("rows")
        if calls.names[number] == f"delete {COMMITS}":
            assert now.sweep_horizon > before.sweep_horizon
            looked.add("commits")

    looked: set[str] = set()
    calls.before = look
    collected(world, calls)
    assert looked == {"rows", "commits"}


def test_of_a_slice_that_two_collectors_walk_at_once_one_counts(world: World) -> None:
    """The other must not jump over what nobody has healed."""
    for number in range(40):
        world.put(world.client(), **{f"{number:02}": b"1"})
    newest = world.put(world.client(), newest=b"x")
    calls, other = Calls(), world.client()
    slow = world.client(calls)
    state = GcStateCell(world.cells, NAMES.gc, b"looking")

    def overtake(number: int) -> None:
        if calls.names[number] == f"scan {ROWS}":
            calls.before = lambda number: None
            for _ in range(3):
                other.collect_garbage(newest, limit=10)
            positions.append(state.read().position)

    positions: list[object] = []
    calls.before = overtake
    slow.collect_garbage(newest, limit=10)
    assert [state.read().position] == positions


def test_an_insert_that_was_never_committed_goes_once_it_can_not_be_any_more(world: World) -> None:
    world.put_and_die(b"x", after="put")
    collected(world)
    assert versions(world) == 1
    world.clock.ms += HOUR_MS
    assert collected(world) == 1
    assert versions(world) == 0
    world.put(world.client(), x=b"again")
    with world.client().snapshot() as snapshot:
        (found,) = snapshot.read(ITEMS, "a", [X])
    assert found is not None and found.value == b"again"


def test_a_deletion_outlives_what_may_still_land(world: World) -> None:
    world.put(world.client(), x=b"x")
    world.put(world.client(), x=None)
    first = world.cells.versions(ROWS, X, DATA, None, 10)[-1]
    assert collected(world) == 1
    assert versions(world) == 1, "the tombstone"
    world.cells.compact()
    world.cells.put(ROWS, first.timestamp, {X: {DATA: first.value}})  # a gateway sends it a second time
    with world.client().snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [X]) == [None]
    world.clock.ms += HOUR_MS
    assert collected(world) == 2
    assert versions(world) == 0


def test_two_watermarks_a_lease_holds_one_back_and_not_the_oracle(world: World) -> None:
    repo = world.client()
    old = world.put(repo, x=b"old")
    with repo.snapshot() as snapshot, repo.lease(snapshot, 7200):
        world.put(repo, x=b"new")
        world.clock.ms += HOUR_MS
        assert collected(world) == 0
        assert GcStateCell(world.cells, NAMES.gc, b"looking").read().watermark == old
        (found,) = snapshot.read(ITEMS, "a", [X])
        assert found is not None and found.value == b"old"
        world.take_over()
        assert collected(world) == 0, "a new leader knows nothing of it, and need not (F12)"
    assert collected(world) == 1


def test_a_clock_that_jumps_back_an_hour_brings_nothing_back(world: World) -> None:
    repo = world.client()
    world.clock.ms += 2 * HOUR_MS
    world.put(repo, x=b"1")
    world.clock.ms -= HOUR_MS
    newest = world.put(repo, x=b"2")
    assert repo.collect_garbage(newest) == 1
    assert world.put(repo, x=b"3") > newest
    with repo.snapshot() as snapshot:
        (found,) = snapshot.read(ITEMS, "a", [X])
    assert found is not None and found.value == b"3"


def test_what_waits_to_be_healed_is_not_forgotten_for_all_that_comes_after_it(world: World) -> None:
    """Ten thousand versions without shadow cells lie above the watermark, and one below; that one is swept (F8)."""
    world.put_and_die(b"x", after="commit")
    world.clock.ms += HOUR_MS
    watermark = world.put(world.client(), other=b"x")
    table, rows = CommitTable(world.cells, COMMITS), [key_of("many", number) for number in range(100)]
    for number in range(1, 102):
        id = watermark + 100 * number
        world.cells.put(ROWS, id, {row: {DATA: b"many"} for row in rows})
        table.put(((id, id + 50),))
    collector = world.client()
    collector.collect_garbage(watermark)
    assert world.cells.get(ROWS, [X], [SHADOW]), "of a version that no commit-table row tells of any more"


def test_a_history_has_no_gaps(world: World) -> None:
    """What lies below the watermark may be swept and collected in any order; only the newest there is sure to be."""
    client = world.client()
    world.put(client, x=b"1")
    second = world.put(client, x=b"2")
    third = world.put(client, x=b"3")
    with client.snapshot() as snapshot:
        assert len(snapshot.history(ITEMS, "a", X)) == 3
        client.collect_garbage(second, limit=0)  # the watermark has moved, and nothing is collected yet
        assert [one.commit_timestamp for one in snapshot.history(ITEMS, "a", X)] == [third, second]


def test_a_history_shows_nothing_below_a_tombstone_that_was_collected_meanwhile(world: World) -> None:
    world.put(world.client(), x=b"old")
    dying, calls = Calls(), Calls()

    def die(number: int) -> None:
        if dying.names[number] == "commit":
            raise Killed

    dying.after = die
    with pytest.raises(Killed):
        world.put(world.client(dying), x=None)
    world.clock.ms += HOUR_MS
    newest, collector = world.put(world.client(), y=b"y"), world.client()
    reader = world.client(calls)

    def collect(number: int) -> None:
        if calls.names[number] == f"get {COMMITS}":
            for _ in range(3):
                collector.collect_garbage(newest)

    with reader.snapshot() as snapshot:
        calls.before = collect
        assert versions(world) == 2
        assert snapshot.history(ITEMS, "a", X) == []
        assert versions(world) == 0
