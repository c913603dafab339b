"""Commit: each transaction of a list on its own terms, conflicts by cell, messages with the commit timestamp."""

import pytest

from proto.errors import AdsIndexError, InvalidMessageError
from repo.api import Cell, OutcomeKind, Transaction
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, Engine, key_of

A1 = Cell(ITEMS, key_of(1), "a")
BUILD1 = Cell(DOCUMENTS, key_of(1), "build")


@pytest.mark.parametrize("cell", [A1, Cell(DOCUMENTS, key_of(1), "content"), BUILD1])
@pytest.mark.parametrize("theirs", [b"theirs", None])
@pytest.mark.parametrize("how", ["write", "delete", "check"])
def test_a_cell_committed_after_the_snapshot_is_a_conflict(
    engine: Engine, cell: Cell, theirs: bytes | None, how: str
) -> None:
    engine.put(1, b"first", cell.group, cell.table)
    mine = engine.begin()
    if how == "write":
        mine.write(cell.table, cell.key, cell.group, b"mine")
    elif how == "delete":
        mine.delete(cell.table, cell.key, cell.group)
    else:
        mine.check(cell.table, cell.key, cell.group)
        mine.write(ITEMS, key_of(2), "a", b"because of what was read")
    other = engine.put(1, theirs, cell.group, cell.table)
    (outcome,) = engine.commit(mine)
    assert (outcome.kind, outcome.commit_timestamp, outcome.cell) == (OutcomeKind.CONFLICT, other, cell)
    assert engine.get(1, cell.group, cell.table) == theirs
    assert engine.get(2) is None


def test_the_retry_of_a_conflict_sees_what_it_lost_to(engine: Engine) -> None:
    mine = engine.begin()
    mine.write(*A1, b"mine")
    engine.put(1, b"theirs")
    (lost,) = engine.commit(mine)
    again = engine.begin(at_least=lost.commit_timestamp)
    again.write(*A1, b"mine")
    assert engine.commit(again)[0].committed


def test_a_cell_that_was_committed_before_the_snapshot_is_no_conflict(engine: Engine) -> None:
    engine.put(1, b"before")
    mine = engine.begin()
    mine.check(*A1)
    mine.write(*A1, b"mine")
    engine.put(2, b"another row")
    engine.put(1, b"another group", "b")
    assert engine.commit(mine)[0].committed


def test_members_of_a_list_are_checked_against_each_other(engine: Engine) -> None:
    first, second, third, fourth = (engine.begin() for _ in range(4))
    first.write(*A1, b"first")
    second.write(*A1, b"second")
    third.check(*A1)
    third.write(ITEMS, key_of(3), "a", b"third")
    fourth.write(ITEMS, key_of(4), "a", b"fourth")
    outcomes = engine.commit(first, second, third, fourth)
    assert [outcome.kind.name for outcome in outcomes] == ["COMMITTED", "CONFLICT", "CONFLICT", "COMMITTED"]
    assert {outcome.commit_timestamp for outcome in outcomes[:3]} == {outcomes[0].commit_timestamp}
    assert outcomes[1].cell == outcomes[2].cell == A1
    assert [engine.get(key) for key in (1, 3, 4)] == [b"first", None, b"fourth"]


def test_newest_cells_of_a_list_are_checked_against_each_other(engine: Engine) -> None:
    first, second = engine.begin(), engine.begin()
    first.write(*BUILD1, b"first")
    second.write(*BUILD1, b"second")
    assert [outcome.committed for outcome in engine.commit(first, second)] == [True, False]
    assert engine.get(1, "build", DOCUMENTS) == b"first"


def test_a_member_that_lost_is_not_seen_by_those_after_it(engine: Engine) -> None:
    loser, later = engine.begin(), engine.begin()
    engine.put(1, b"winner")
    loser.write(*A1, b"loser")
    loser.write(ITEMS, key_of(2), "a", b"loser")
    later.write(ITEMS, key_of(2), "a", b"later")
    assert [outcome.committed for outcome in engine.commit(loser, later)] == [False, True]


def test_a_later_member_may_write_what_an_earlier_one_checked(engine: Engine) -> None:
    engine.put(1, b"old")
    reader, writer = engine.begin(), engine.begin()
    reader.check(*A1)
    reader.write(ITEMS, key_of(2), "a", b"x")
    writer.write(*A1, b"new")
    assert all(outcome.committed for outcome in engine.commit(reader, writer))


def test_so_it_may_when_the_snapshots_differ(engine: Engine) -> None:
    early = [engine.begin() for _ in range(2)]
    engine.put(9, b"something else")
    reader = engine.begin()
    early[0].write(ITEMS, key_of(3), "a", b"x")
    reader.check(*A1)
    reader.write(ITEMS, key_of(2), "a", b"x")
    early[1].write(*A1, b"new")
    assert all(outcome.committed for outcome in engine.commit(early[0], reader, early[1]))


def test_members_without_a_cell_in_common_may_share_a_commit_timestamp(engine: Engine) -> None:
    """What one timestamp commits is visible together, and not before."""
    members = [engine.begin() for _ in range(5)]
    for number, member in enumerate(members):
        member.write(ITEMS, key_of(number), "a", b"x")
    stamps = [outcome.commit_timestamp for outcome in engine.commit(*members)]
    assert stamps == sorted(stamps)
    assert engine.repo.last_timestamp() == stamps[-1]
    assert engine.put(9, b"y") > stamps[-1]
    for stamp in stamps:
        with engine.repo.snapshot_at(stamp) as snapshot:
            assert len(snapshot.scan(ITEMS, "a")) == sum(other <= stamp for other in stamps)
        with engine.repo.snapshot_at(stamp - 1) as snapshot:
            assert len(snapshot.scan(ITEMS, "a")) == sum(other < stamp for other in stamps)


def test_members_that_write_the_same_index_entry_commit_in_the_order_of_the_list(engine: Engine) -> None:
    members = [engine.begin() for _ in range(4)]
    for number, member in enumerate(members):
        member.write(ITEMS, key_of(number), "a", b"x")
        member.write_index(LINKS, b"entry", b"%d" % number)
    members[3].delete_index(LINKS, b"entry")
    stamps = [outcome.commit_timestamp for outcome in engine.commit(*members[:3])]
    assert stamps == sorted(set(stamps))
    with engine.repo.snapshot() as snapshot:
        assert snapshot.scan_prefixes(LINKS, [b""], 10) == [[(b"entry", b"2")]]
    assert engine.commit(members[3])[0].committed
    with engine.repo.snapshot() as snapshot:
        assert snapshot.scan_prefixes(LINKS, [b""], 10) == [[]]


def test_a_timestamp_is_a_time_and_never_goes_back(durable_engine: Engine) -> None:
    engine = durable_engine
    engine.clock.ms = 1_700_000_000_000.0
    first = engine.put(1, b"x")
    engine.clock.ms += 5000
    second = engine.put(1, b"y")
    some = 1000  # an engine may use up timestamps for other things
    assert 0 <= first - 1_700_000_000_000_000_000 < some
    assert 0 <= second - 1_700_000_005_000_000_000 < some
    engine.clock.ms -= 60_000
    third = engine.put(1, b"z")
    assert 0 < third - second < some
    assert engine.get(1, at=1_700_000_004_000 * 1_000_000) == b"x"


def test_an_empty_list_commits_nothing(engine: Engine) -> None:
    assert engine.commit() == []
    assert engine.repo.last_timestamp() == 0


def test_a_lost_transaction_leaves_nothing_at_all(engine: Engine) -> None:
    mine = engine.begin()
    mine.write(*A1, b"mine")
    mine.write_index(LINKS, b"entry", b"")
    mine.notify("topic", 0, b"message")
    engine.put(1, b"theirs")
    assert not engine.commit(mine)[0].committed
    assert engine.messages("topic", 0) == []
    with engine.repo.snapshot() as snapshot:
        assert snapshot.scan_prefixes(LINKS, [b""], 10) == [[]]


def test_messages_carry_the_commit_timestamp_and_keep_the_order_of_commits(engine: Engine) -> None:
    members = [engine.begin() for _ in range(3)]
    for number, member in enumerate(members):
        member.write(ITEMS, key_of(number), "a", b"x")
        member.notify("topic", 0, b"first %d" % number)
        member.notify("topic", 0, b"second %d" % number)
        member.notify("topic", 1, b"other")
    stamps = [outcome.commit_timestamp.to_bytes(8, "big") for outcome in engine.commit(*members)]
    wanted = [
        stamp + b"%s %d" % (word, number) for number, stamp in enumerate(stamps) for word in (b"first", b"second")
    ]
    assert engine.messages("topic", 0) == wanted
    assert engine.messages("topic", 1) == [stamp + b"other" for stamp in stamps]


def test_the_last_write_of_a_transaction_to_a_cell_counts(engine: Engine) -> None:
    transaction = engine.begin()
    transaction.write(*A1, b"one")
    transaction.delete(*A1)
    transaction.write(*A1, b"two")
    engine.commit(transaction)
    with engine.repo.snapshot() as snapshot:
        assert [version.value for version in snapshot.history(ITEMS, "a", key_of(1))] == [b"two"]


def test_an_empty_value_is_refused_and_nothing_of_the_list_is_committed(durable_engine: Engine) -> None:
    good, bad = durable_engine.begin(), durable_engine.begin()
    good.write(ITEMS, key_of(2), "a", b"good")
    bad.write(*A1, b"")
    with pytest.raises(InvalidMessageError, match="empty"):
        durable_engine.commit(good, bad)
    assert durable_engine.repo.last_timestamp() == 0


def test_cells_and_index_entries_are_not_mixed_up(engine: Engine) -> None:
    writing, checking = Transaction(0), Transaction(0)
    writing.write(LINKS, key_of(1), "", b"x")
    checking.check(LINKS, key_of(1), "")
    for transaction in (writing, checking):
        with pytest.raises(AdsIndexError):
            engine.commit(transaction)


def test_a_companion_is_written_with_its_cell_or_not_at_all_and_not_checked_itself(engine: Engine) -> None:
    content = Cell(DOCUMENTS, key_of(1), "content")
    mine, other = engine.begin(), engine.begin()
    for one, value in ((mine, b"mine"), (other, b"other")):
        one.write(*BUILD1, value)
        one.companions[content] = value
    assert engine.commit(mine)[0].committed
    (lost,) = engine.commit(other)
    assert (lost.kind, lost.cell) == (OutcomeKind.CONFLICT, BUILD1) and engine.get(1, "content", DOCUMENTS) == b"mine"
    late = engine.begin()
    engine.put(1, b"theirs", "content", DOCUMENTS)
    late.companions[content] = b"late"
    assert engine.commit(late)[0].committed and engine.get(1, "content", DOCUMENTS) == b"late"
