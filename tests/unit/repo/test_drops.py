"""What was dropped, by key: merged, counted, healed, forgotten."""

import pytest

from proto.codec import encode_key
from repo.api import Repo, Transaction
from repo.drops import (
    ARGUS,
    UPDATER,
    DropBook,
    DropOrder,
    DroppedRow,
    Pile,
    Piles,
    drop_orders,
    dropped_row,
    dropped_rows,
    forget_healed,
    order_drop,
)
from repo.system import system_specs
from tests.support.memory_repo import MemoryRepo


@pytest.fixture
def repo() -> Repo:
    made = MemoryRepo()
    made.declare(system_specs())
    return made


def key(number: int) -> bytes:
    return encode_key(("main", number))


def row(number: int, upto: int = 5, stage: str = ARGUS, **more: object) -> DroppedRow:
    source = "" if stage == ARGUS else "main"
    values = {"lane": 2, "dropped_ms": 100.0, "reason": "old", **more}
    return DroppedRow(stage=stage, source=source, table="ads", key=key(number), upto=upto, **values)  # type: ignore[arg-type]


def write(repo: Repo, *entries: DroppedRow | int, at: int = 0, now_ms: float = 100.0, stage: str = ARGUS) -> None:
    """Rows to drop, numbers of rows to heal, in one transaction."""
    book = DropBook(stage, "" if stage == ARGUS else "main")
    for entry in entries:
        if isinstance(entry, DroppedRow):
            book.drop(entry, at)
        else:
            book.heal("ads", key(entry))
    with repo.snapshot() as snapshot:
        transaction = Transaction(snapshot.timestamp)
        book.write(snapshot, transaction, now_ms)
    if transaction.writes:
        assert repo.commit([transaction])[0].committed


def stored(repo: Repo, number: int) -> DroppedRow | None:
    with repo.snapshot() as snapshot:
        return dropped_row(snapshot, ARGUS, "", "ads", key(number))


def pile(repo: Repo) -> Pile:
    (found,) = Piles(repo).now()
    return found


def test_a_pile_counts_rows_once_and_remembers_the_oldest_change(repo: Repo) -> None:
    write(repo, row(1), row(2), at=50, now_ms=100.0)
    write(repo, row(1, upto=9), at=40, now_ms=200.0)
    write(repo, row(3), at=60)
    assert (pile(repo).open, pile(repo).dropped, pile(repo).at, pile(repo).since_ms) == (3, 3, 40, 100.0)
    write(repo, 1, 2)
    assert (pile(repo).open, pile(repo).healed, pile(repo).at) == (1, 2, 40)
    write(repo, 3, 4)
    assert pile(repo) == Pile(ARGUS, "", 0, 0, 3, 3, 0.0)
    assert Piles(repo).holds() == []


def test_drops_of_one_row_are_merged_until_it_is_healed(repo: Repo) -> None:
    a, b, c = b"a", b"b", b"c"
    write(repo, row(1, 5, columns=("x",), moves=[("team", a, b)], dropped_ms=100.0))
    write(repo, row(1, 7, columns=("y",), moves=[("team", b, c), ("team", a, b)], lane=1, dropped_ms=300.0))
    found = stored(repo, 1)
    assert found is not None
    assert (found.upto, found.times, found.lane, found.first_ms, found.dropped_ms) == (7, 2, 1, 100.0, 300.0)
    assert (found.columns, found.moves) == (("x", "y"), [("team", a, b), ("team", b, c)])
    write(repo, row(1, 8, columns=()))
    found = stored(repo, 1)
    assert found is not None and found.columns == (), "no columns: perhaps all"
    write(repo, 1, now_ms=400.0)
    write(repo, row(1, 9, columns=("z",), dropped_ms=500.0))
    found = stored(repo, 1)
    assert found is not None
    assert (found.times, found.columns, found.moves, found.healed_ms) == (1, ("z",), [], 0.0)


def test_the_last_word_in_a_transaction_counts(repo: Repo) -> None:
    write(repo, row(1), 1, row(2), 2, row(2))
    assert stored(repo, 1) is None
    assert pile(repo).open == 1
    write(repo, 2, row(2, 9), 2)
    assert (pile(repo).open, pile(repo).healed) == (0, 1)


def test_healing_what_was_never_dropped_writes_nothing(repo: Repo) -> None:
    before = repo.last_timestamp()
    write(repo, 1, 2)
    assert repo.last_timestamp() == before


def test_rows_are_paged_by_stage_and_source(repo: Repo) -> None:
    write(repo, *[row(number) for number in range(7)])
    write(repo, *[row(number, stage=UPDATER) for number in range(3)], stage=UPDATER)
    with repo.snapshot() as snapshot:
        found, after, pages = set(), b"", 0
        while pages == 0 or after:
            page, after = dropped_rows(snapshot, ARGUS, after=after, limit=3)
            found |= {one.key for one in page}
            pages += 1
        assert found == {key(number) for number in range(7)}
        assert len(dropped_rows(snapshot, UPDATER, "main")[0]) == 3
        assert dropped_rows(snapshot, UPDATER, "other")[0] == []
        assert len(dropped_rows(snapshot)[0]) == 10


def test_orders_only_grow(repo: Repo) -> None:
    assert order_drop(repo, DropOrder(stage=ARGUS, lane=2, below={0: 5, 1: 3}, before_ms=9.0, by_policy=[(1.0, 2)]))
    assert order_drop(repo, DropOrder(stage=ARGUS, lane=2, below={0: 4, 2: 1}, before_ms=8.0, reason="again"))
    with repo.snapshot() as snapshot:
        (order,) = drop_orders(snapshot)
    assert (order.below, order.before_ms, order.reason) == ({0: 5, 1: 3, 2: 1}, 9.0, "again")
    assert order.by_policy == [(1.0, 2)]


def test_records_of_healed_rows_are_forgotten_after_a_time(repo: Repo) -> None:
    write(repo, row(1), row(2), row(3))
    write(repo, 1, now_ms=1000.0)
    write(repo, 2, now_ms=3000.0)
    after = b""
    for _ in range(4):
        after = forget_healed(repo, 2000.0, after, 1)
    assert (stored(repo, 1), stored(repo, 2) is not None, stored(repo, 3) is not None) == (None, True, True)
    assert pile(repo).open == 1
