"""Garbage collection: a reader is right or too old, never in a gap."""

import pytest

from proto.errors import TooOldError
from repo.api import OutcomeKind, Version
from tests.support.engines import DOCUMENTS, ITEMS, Engine, key_of


def collect(engine: Engine, before: int) -> int:
    """Often enough to get through the store, whatever is left over from earlier calls."""
    return sum(engine.repo.collect_garbage(before) for _ in range(5))


def test_versions_below_the_newest_visible_one_go(engine: Engine) -> None:
    stamps = [engine.put(1, b"%d" % number) for number in range(5)]
    assert collect(engine, stamps[3]) == 3
    with engine.repo.snapshot() as snapshot:
        assert snapshot.history(ITEMS, "a", key_of(1)) == [Version(stamps[4], b"4"), Version(stamps[3], b"3")]
    assert collect(engine, stamps[3]) == 0


def test_what_a_snapshot_at_or_above_the_watermark_sees_stays(engine: Engine) -> None:
    old = engine.put(1, b"old")
    engine.put(2, b"x")
    now = engine.put(2, b"y")
    assert collect(engine, now) == 1
    assert engine.get(1, at=now) == b"old"
    with engine.repo.snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [key_of(1)]) == [Version(old, b"old")]


def test_a_snapshot_that_is_too_old_gets_an_error_from_every_kind_of_read(engine: Engine) -> None:
    engine.put(1, b"old")
    with engine.repo.snapshot() as snapshot:
        now = engine.put(1, b"new")
        collect(engine, now)
        with pytest.raises(TooOldError):
            snapshot.read(ITEMS, "a", [key_of(1)])
        with pytest.raises(TooOldError):
            snapshot.read(ITEMS, "a", [key_of(2)])
        with pytest.raises(TooOldError):
            snapshot.scan(ITEMS, "a")
        with pytest.raises(TooOldError):
            snapshot.history(ITEMS, "a", key_of(1))
    with pytest.raises(TooOldError):
        engine.repo.snapshot_at(now - 1)


def test_a_transaction_that_is_too_old_is_refused(engine: Engine) -> None:
    engine.put(1, b"old")
    mine = engine.begin()
    mine.write(ITEMS, key_of(9), "a", b"mine")
    collect(engine, engine.put(1, b"new"))
    assert engine.commit(mine)[0].kind is OutcomeKind.TOO_OLD
    assert engine.get(9) is None


def test_a_deleted_cell_goes_as_a_whole(engine: Engine) -> None:
    engine.put(1, b"old")
    engine.put(1, b"newer")
    engine.put(1, None)
    now = engine.put(2, b"x")
    assert collect(engine, now) >= 2
    with engine.repo.snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [key_of(1)]) == [None]
        assert snapshot.history(ITEMS, "a", key_of(1)) == []
    engine.put(1, b"again")
    assert engine.get(1) == b"again"


def test_a_deletion_that_a_snapshot_still_needs_stays(engine: Engine) -> None:
    before = engine.put(1, b"old")
    deleted = engine.put(1, None)
    collect(engine, before)
    with engine.repo.snapshot() as snapshot:
        assert snapshot.history(ITEMS, "a", key_of(1)) == [Version(deleted, None), Version(before, b"old")]


def test_the_watermark_does_not_pass_the_newest_commit(engine: Engine) -> None:
    engine.put(1, b"old")
    now = engine.put(1, b"new")
    collect(engine, now + 10**18)
    with engine.repo.snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [key_of(1)]) == [Version(now, b"new")]
    assert engine.put(1, b"newer") > now


def test_a_newest_cell_that_was_deleted_goes_and_others_stay(engine: Engine) -> None:
    engine.put(1, b"kept", "build", DOCUMENTS)
    engine.put(2, b"x", "build", DOCUMENTS)
    engine.put(2, None, "build", DOCUMENTS)
    collect(engine, engine.put(3, b"now"))
    with engine.repo.snapshot() as snapshot:
        found = snapshot.read(DOCUMENTS, "build", [key_of(1), key_of(2)])
    assert found[0] is not None and found[0].value == b"kept"
    assert found[1] is None


def test_repeated_short_calls_get_through_the_whole_store(durable_engine: Engine) -> None:
    engine = durable_engine
    for value in (b"one", b"two", b"three"):
        transaction = engine.begin()
        for number in range(50):
            transaction.write(ITEMS, key_of(number), "a", value)
            transaction.write(DOCUMENTS, key_of(number), "content", value * 100)
        engine.commit(transaction)
    now = engine.repo.last_timestamp()
    removed = [engine.repo.collect_garbage(now, limit=7) for _ in range(100)]
    assert max(removed) <= 8
    assert sum(removed) == 200
    with engine.repo.snapshot() as snapshot:
        for number in range(50):
            assert [version.value for version in snapshot.history(DOCUMENTS, "content", key_of(number))] == [
                b"three" * 100
            ]


def test_the_dead_do_not_come_back_while_a_long_history_is_collected_bit_by_bit(durable_engine: Engine) -> None:
    engine = durable_engine
    for number in range(9):
        engine.put(1, b"%d" % number)
    engine.put(1, None)
    now = engine.put(2, b"x")
    removed = []
    for _ in range(4):
        removed.append(engine.repo.collect_garbage(now, limit=3))
        assert engine.get(1) is None
    assert sum(removed) in (9, 10), "the deletion itself may stay, unseen"
    assert removed[-1] == 0
    assert engine.get(2) == b"x"


def test_a_lease_holds_garbage_collection_back_until_it_ends(durable_engine: Engine) -> None:
    engine = durable_engine
    engine.put(1, b"old")
    with engine.repo.snapshot() as snapshot, engine.repo.lease(snapshot, seconds=60):
        now = engine.put(1, b"new")
        assert collect(engine, now) == 0
        assert snapshot.read(ITEMS, "a", [key_of(1)])[0] is not None
        engine.put(1, b"newer")
    assert collect(engine, now) == 1


def test_a_lease_ends_by_itself(durable_engine: Engine) -> None:
    engine = durable_engine
    engine.put(1, b"old")
    with engine.repo.snapshot() as snapshot, engine.repo.lease(snapshot, seconds=60):
        now = engine.put(1, b"new")
        engine.clock.ms += 61_000
        assert collect(engine, now) == 1
        with pytest.raises(TooOldError):
            snapshot.read(ITEMS, "a", [key_of(1)])


def test_a_lease_can_not_be_taken_too_late(durable_engine: Engine) -> None:
    engine = durable_engine
    engine.put(1, b"old")
    with engine.repo.snapshot() as snapshot:
        collect(engine, engine.put(1, b"new"))
        with pytest.raises(TooOldError), engine.repo.lease(snapshot, seconds=60):
            pass
