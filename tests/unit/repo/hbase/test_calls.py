"""What a transaction costs: calls of the store and of the oracle, counted."""

from collections.abc import Sequence

import pytest

from repo.api import Transaction
from repo.hbase.names import TableNames
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, key_of
from tests.support.watched_hbase import Calls, World

ROWS = TableNames().data(ITEMS)
SINGLE = [
    "begin",
    f"get {ROWS}",
    "get adsindex_gc",  # after the last read (F12)
    f"put {ROWS}",
    "commit",
    f"put-soon {ROWS}",  # shadow cells: nobody waits for them
]


def transactions(count: int, snapshot: int) -> list[Transaction]:
    """Each writes two rows of its own."""
    made = [Transaction(snapshot) for _ in range(count)]
    for number, transaction in enumerate(made):
        for at in (2 * number, 2 * number + 1):
            transaction.write(ITEMS, key_of(at), "a", b"new")
    return made


@pytest.mark.parametrize("count", [1, 100])
def test_a_batch_costs_what_one_transaction_costs(count: int) -> None:
    """Three rows read and two written in each; begin and commit are one frame to the oracle each."""
    world, calls = World(), Calls()
    repo = world.client(calls)
    world.put(repo, **{str(number): b"old" for number in range(10)})
    calls.names.clear()
    with repo.snapshot() as snapshot:
        snapshot.read(ITEMS, "a", [key_of(str(number)) for number in range(3 * count)])
        assert all(outcome.committed for outcome in repo.commit(transactions(count, snapshot.timestamp)))
    assert calls.names == SINGLE


def test_only_who_commits_asks_for_ids() -> None:
    world, calls = World(), Calls()
    repo = world.client(calls)
    repo.snapshot()
    assert calls.names == ["snapshot"]
    world.put(repo, x=b"1")
    assert [name for name in calls.names if not name.startswith("put")] == ["snapshot", "snapshot", "begin", "commit"]
    calls.names.clear()
    for _ in range(300):
        repo.snapshot()
    assert calls.names[0] == "begin" and calls.names[-1] == "snapshot", "it has not committed for long"


def test_each_table_costs_a_put_of_cells_and_one_of_shadow_cells() -> None:
    world, calls = World(), Calls()
    repo = world.client(calls)
    batch = transactions(50, 0)
    for number, transaction in enumerate(batch):
        transaction.write(DOCUMENTS, key_of(number), "content", b"x")
        transaction.write_index(LINKS, key_of(number), b"")
        transaction.notify("changes", 0, b"rides on the put of a row")
    assert all(outcome.committed for outcome in repo.commit(batch))
    assert [name.split()[0] for name in calls.names] == ["begin", *["put"] * 3, "commit", *["put-soon"] * 3]


def test_a_commit_timestamp_that_is_known_is_not_looked_up_again() -> None:
    """Its shadow cells are lost: the first reader asks the commit table, once for all rows, and then knows."""
    world, calls = World(), Calls()
    writer = world.client(calls)
    calls.after = lambda number: _die_after(calls, "commit")
    with pytest.raises(_Dead):
        world.put(writer, **{str(number): b"x" for number in range(20)})
    watched = Calls()
    reader = world.client(watched)
    with reader.snapshot() as snapshot:
        for _ in range(2):
            found = snapshot.read(ITEMS, "a", [key_of(str(number)) for number in range(20)])
            assert all(version is not None and version.value == b"x" for version in found)
    assert watched.names.count("get OMID_COMMIT_TABLE") == 1


PARENTS, CHILDREN = 2_000, 10


@pytest.fixture(scope="module")
def family() -> World:
    """An index of parents with ten children each."""
    world = World()
    transaction = Transaction(0)
    for parent in range(PARENTS):
        for child in range(CHILDREN):
            transaction.write_index(LINKS, key_of(parent) + key_of(child), b"")
    assert world.client().commit([transaction])[0].committed
    return world


@pytest.mark.parametrize(
    ("parents", "scans", "alone"),
    [
        (range(200), ["scan"] * 3, []),  # 2,000 rows, in pages
        (range(0, PARENTS, 10), ["scan", "scans"], [190]),  # a page shows that they are far apart
        ([7], ["scans"], [1]),
        ([], [], []),
    ],
    ids=["neighbours", "far apart", "one", "none"],
)
def test_collections_of_200_documents_cost_a_few_scans(
    family: World, parents: Sequence[int], scans: list[str], alone: list[int]
) -> None:
    """alone: how many ranges got a scan of their own, side by side, in one call."""
    calls = Calls()
    with family.client(calls).snapshot() as snapshot:
        found = snapshot.scan_prefixes(LINKS, list(map(key_of, parents)), 100)
    assert [len(entries) for entries in found] == [CHILDREN] * len(parents)
    table = TableNames().data(LINKS)
    assert calls.names == ["snapshot", *(f"{name} {table}" for name in scans), "get adsindex_gc"]
    assert calls.scanned == alone


class _Dead(BaseException):
    pass


def _die_after(calls: Calls, name: str) -> None:
    if calls.names[-1] == name:
        raise _Dead


def test_a_conflict_in_a_batch_costs_two_more_rounds_for_the_others() -> None:
    world, calls = World(), Calls()
    repo, other = world.client(calls), world.client()
    batch = transactions(100, repo.last_timestamp())
    lost = other.last_timestamp()
    theirs = Transaction(lost)
    theirs.write(ITEMS, key_of(20), "a", b"theirs")
    assert other.commit([theirs])[0].committed
    calls.names.clear()
    outcomes = repo.commit(batch)
    assert [at for at, outcome in enumerate(outcomes) if not outcome.committed] == [10]
    assert len({outcome.commit_timestamp for outcome in outcomes}) == 3, "two halves, and the other's"
    assert calls.names.count("commit") == 2
    assert calls.names.count(f"put {ROWS}") == 1 + 2
    assert calls.names.count(f"put-soon {ROWS}") == 2


def test_nothing_is_sent_for_a_member_that_an_earlier_one_has_beaten() -> None:
    world, calls = World(), Calls()
    repo = world.client(calls)
    batch = [transaction for _ in range(20) for transaction in transactions(1, 0)]
    outcomes = repo.commit(batch)
    assert [outcome.committed for outcome in outcomes] == [True] + [False] * 19
    assert {outcome.cell for outcome in outcomes[1:]} == {(ITEMS, key_of(0), "a")}
    assert calls.names == ["begin", f"put {ROWS}", "commit", f"put-soon {ROWS}"]
