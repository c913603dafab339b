"""A snapshot sees, of each cell, the newest version committed at or below it, now and for ever."""

import pytest

from proto.errors import SettingsError, UnavailableError
from repo.api import Keep, TableSpec, Transaction, Version
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, Engine, key_of


def test_an_empty_repo_has_no_timestamp_and_no_rows(engine: Engine) -> None:
    assert engine.repo.last_timestamp() == 0
    with engine.repo.snapshot() as snapshot:
        assert snapshot.timestamp == 0
        assert snapshot.read(ITEMS, "a", [key_of(1)]) == [None]
        assert snapshot.scan(ITEMS, "a") == []
        assert snapshot.history(ITEMS, "a", key_of(1)) == []


def test_a_read_gives_value_and_commit_timestamp_in_the_order_of_the_keys(engine: Engine) -> None:
    first, second = engine.put(1, b"one"), engine.put(2, b"two")
    with engine.repo.snapshot() as snapshot:
        found = snapshot.read(ITEMS, "a", [key_of(2), key_of(9), key_of(1), key_of(2)])
    assert found == [Version(second, b"two"), None, Version(first, b"one"), Version(second, b"two")]
    assert all(version is None or isinstance(version, Version) for version in found)


def test_no_keys_give_no_versions(engine: Engine) -> None:
    with engine.repo.snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", []) == []


def test_a_snapshot_does_not_see_what_is_committed_after_it(engine: Engine) -> None:
    engine.put(1, b"old")
    with engine.repo.snapshot() as snapshot:
        for value in (b"new", None):
            engine.put(1, value)
            engine.put(2, value)
            assert [version and version.value for version in snapshot.read(ITEMS, "a", [key_of(1), key_of(2)])] == [
                b"old",
                None,
            ]


def test_a_deleted_cell_is_a_version_without_value(engine: Engine) -> None:
    engine.put(1, b"one")
    deleted = engine.put(1, None)
    with engine.repo.snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [key_of(1)]) == [Version(deleted, None)]


def test_neighbouring_keys_groups_and_tables_are_cells_of_their_own(engine: Engine) -> None:
    keys = [key_of("a"), key_of("a", "b"), key_of("a\0b"), key_of("ab"), key_of("a", 0), key_of("")]
    transaction = engine.begin()
    for number, key in enumerate(keys):
        for group in ("a", "b"):
            transaction.write(ITEMS, key, group, b"%d%s" % (number, group.encode()))
        transaction.write(DOCUMENTS, key, "content", b"%d" % number)
    engine.commit(transaction)
    with engine.repo.snapshot() as snapshot:
        for group in ("a", "b"):
            wanted = [b"%d%s" % (number, group.encode()) for number in range(len(keys))]
            assert [version and version.value for version in snapshot.read(ITEMS, group, keys)] == wanted
        wanted = [b"%d" % number for number in range(len(keys))]
        assert [version and version.value for version in snapshot.read(DOCUMENTS, "content", keys)] == wanted
        assert snapshot.read(DOCUMENTS, "build", keys) == [None] * len(keys)


@pytest.mark.parametrize(("table", "group"), [(ITEMS, "a"), (DOCUMENTS, "content"), (DOCUMENTS, "build")])
@pytest.mark.parametrize("size", [1, 199, 200, 201, 5_000, 1_000_000])
def test_values_of_any_size_come_back_as_they_were(engine: Engine, table: str, group: str, size: int) -> None:
    for first in (b"\0", b"\1", b"x"):
        value = first + b"v" * (size - 1)
        engine.put(1, value, group, table)
        assert engine.get(1, group, table) == value


def test_many_keys_in_one_call(engine: Engine) -> None:
    transaction = engine.begin()
    for number in range(0, 30_000, 2):
        transaction.write(ITEMS, key_of(number), "a", b"%d" % number)
    engine.commit(transaction)
    with engine.repo.snapshot() as snapshot:
        found = snapshot.read(ITEMS, "a", [key_of(number) for number in range(30_000)])
    assert [version and version.value for version in found] == [
        None if number % 2 else b"%d" % number for number in range(30_000)
    ]


def test_a_newest_group_shows_its_newest_version_to_every_snapshot(engine: Engine) -> None:
    engine.put(1, b"first", "build", DOCUMENTS)
    with engine.repo.snapshot() as snapshot:
        second = engine.put(1, b"second", "build", DOCUMENTS)
        assert snapshot.read(DOCUMENTS, "build", [key_of(1)]) == [Version(second, b"second")]
        assert snapshot.history(DOCUMENTS, "build", key_of(1)) == [Version(second, b"second")]
        third = engine.put(1, None, "build", DOCUMENTS)
        assert snapshot.read(DOCUMENTS, "build", [key_of(1)]) == [Version(third, None)]


def test_time_travel_sees_each_state_that_there_was(engine: Engine) -> None:
    stamps = [engine.put(1, b"%d" % number, "content", DOCUMENTS) for number in range(5)]
    for number, timestamp in enumerate(stamps):
        assert engine.get(1, "content", DOCUMENTS, at=timestamp) == b"%d" % number
        assert engine.get(1, "content", DOCUMENTS, at=timestamp - 1) == (b"%d" % (number - 1) if number else None)


def test_a_snapshot_of_the_future_does_not_change_when_the_future_comes(engine: Engine) -> None:
    now = engine.put(1, b"now")
    with engine.repo.snapshot_at(now + 10**15) as snapshot:
        assert snapshot.timestamp == now
        engine.put(1, b"then")
        assert snapshot.read(ITEMS, "a", [key_of(1)]) == [Version(now, b"now")]


def test_history_is_newest_first_and_ends_at_the_snapshot(engine: Engine) -> None:
    one, two = engine.put(1, b"1"), engine.put(1, None)
    three = engine.put(1, b"3")
    engine.put(2, b"other")
    wanted = [Version(three, b"3"), Version(two, None), Version(one, b"1")]
    with engine.repo.snapshot() as snapshot:
        engine.put(1, b"4")
        assert snapshot.history(ITEMS, "a", key_of(1)) == wanted
        assert snapshot.history(ITEMS, "a", key_of(1), limit=2) == wanted[:2]
    with engine.repo.snapshot_at(two) as snapshot:
        assert snapshot.history(ITEMS, "a", key_of(1)) == wanted[1:]


def test_history_of_large_values(engine: Engine) -> None:
    values = [b"%d" % number * 300 for number in range(4)]
    for value in values:
        engine.put(1, value, "content", DOCUMENTS)
    with engine.repo.snapshot() as snapshot:
        assert [version.value for version in snapshot.history(DOCUMENTS, "content", key_of(1))] == values[::-1]


def test_a_snapshot_that_can_not_be_new_enough_is_refused(engine: Engine) -> None:
    """N1: the client names the highest commit that it knows; an engine that doesn't reach it must not answer."""
    known = engine.put(1, b"one")
    with engine.repo.snapshot(at_least=known) as snapshot:
        assert snapshot.timestamp >= known
        assert snapshot.read(ITEMS, "a", [key_of(1)]) == [Version(known, b"one")]
    unknown = known + 10**15
    with pytest.raises(UnavailableError, match=str(unknown)):
        engine.repo.snapshot(at_least=unknown)
    with pytest.raises(UnavailableError, match=str(unknown)), engine.repo.snapshot(at_least=unknown, still=True):
        pytest.fail("it must not be entered")
    with engine.repo.snapshot(at_least=known, still=True) as snapshot:
        assert snapshot.timestamp >= known


def test_what_nobody_has_declared_can_not_be_read_or_written(engine: Engine) -> None:
    with engine.repo.snapshot() as snapshot:
        for table, group in (("nowhere", "a"), (ITEMS, "nothing")):
            with pytest.raises(SettingsError, match=table):
                snapshot.read(table, group, [key_of(1)])
            transaction = Transaction(snapshot.timestamp)
            transaction.write(table, key_of(1), group, b"x")
            with pytest.raises(SettingsError, match=table):
                engine.commit(transaction)


def test_declaring_again_changes_nothing_and_a_new_group_joins(engine: Engine) -> None:
    engine.put(1, b"kept")
    both = {"a": Keep.VERSIONED, "c": Keep.NEWEST}
    for _ in range(2):
        engine.repo.declare([TableSpec(ITEMS, both)])
    engine.put(1, b"new", "c")
    assert (engine.get(1), engine.get(1, "c")) == (b"kept", b"new")
    (items,) = [spec for spec in engine.repo.tables() if spec.name == ITEMS]
    assert items.groups == {"a": Keep.VERSIONED, "b": Keep.VERSIONED, "c": Keep.NEWEST}


def test_a_group_can_not_become_another_kind(engine: Engine) -> None:
    with pytest.raises(SettingsError, match=ITEMS):
        engine.repo.declare([TableSpec(ITEMS, {"a": Keep.NEWEST})])


def test_a_still_snapshot_sees_the_index_entries_of_its_own_moment_too(durable_engine: Engine) -> None:
    engine = durable_engine
    for round_number in range(2):
        with engine.repo.snapshot(still=True) as snapshot:
            before = snapshot.timestamp
            move = engine.begin()
            move.write(ITEMS, key_of(1), "a", b"%d" % round_number)
            move.write_index(LINKS, b"entry %d" % round_number, b"")
            engine.commit(move)
            assert len(snapshot.scan_prefixes(LINKS, [b""], 10)[0]) == round_number
            found = snapshot.read(ITEMS, "a", [key_of(1)])
            assert [version and version.value for version in found] == [b"0" if round_number else None]
            assert snapshot.timestamp == before
    with engine.repo.snapshot(still=True) as snapshot:
        assert len(snapshot.scan_prefixes(LINKS, [b""], 10)[0]) == 2


def test_a_change_mark_differs_whenever_something_was_committed_to_its_table(engine: Engine) -> None:
    tables = [ITEMS, LINKS, DOCUMENTS]

    def marks(at: int | None = None) -> list[bytes]:
        with engine.repo.snapshot() if at is None else engine.repo.snapshot_at(at) as snapshot:
            return snapshot.change_marks(tables)

    assert marks() == [b""] * 3
    seen = [marks()]
    first = engine.put(1, b"x")
    seen.append(marks())
    entry = engine.begin()
    entry.write_index(LINKS, b"entry", b"")
    engine.commit(entry)
    seen.append(marks())
    engine.put(1, b"x", "content", DOCUMENTS)
    seen.append(marks())
    assert marks() == seen[-1], "nothing was committed"
    for number in range(3):
        assert seen[number][number] != seen[number + 1][number], tables[number]
    as_of_then = marks(first)[2]
    engine.put(1, b"y", "build", DOCUMENTS)
    assert marks(first)[2] != as_of_then, "what keeps only the newest is read as of now"
