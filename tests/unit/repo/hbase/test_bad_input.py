"""What can't be stored is told, with table and row and what to do, before anything is written."""

from collections.abc import Callable
from typing import Any

import pytest

from proto.errors import AdsIndexError, InvalidMessageError, SettingsError
from repo.api import Keep, TableSpec, Transaction
from repo.hbase.cells import Family
from repo.hbase.limits import ROW_BYTES_MAX
from repo.hbase.names import TableNames, column_of
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, key_of
from tests.support.watched_hbase import Calls, World

X = key_of("x")


def notify(bad: Transaction, partition: int, payload: Any) -> None:
    bad.write(ITEMS, X, "a", b"x")
    bad.notify("topic", partition, payload)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda bad: bad.write(ITEMS, X, "a", 17), "type int"),
        (lambda bad: bad.write(ITEMS, X, "a", "text"), "encode it as bytes"),
        (lambda bad: bad.write(ITEMS, X, "a", b""), "delete the cell instead"),
        (lambda bad: bad.write_index(LINKS, X, 17), "type int"),
        (lambda bad: bad.write(ITEMS, b"k" * 40_000, "a", b"x"), "40000 bytes"),
        (lambda bad: bad.write_index(LINKS, b"k" * 40_000, b""), "40000 bytes"),
        (lambda bad: bad.write(DOCUMENTS, X, "content", b"x" * 11_000_000), "11000000 bytes"),
        (lambda bad: bad.write(ITEMS, X, "nothing", b"x"), "no group 'nothing'"),
        (lambda bad: bad.check(LINKS, X, ""), "no versions to check"),
        (lambda bad: bad.notify("topic", 0, b"x"), "writes none"),
        (lambda bad: notify(bad, -1, b"x"), "-1 is no partition"),
        (lambda bad: notify(bad, 0, "text"), "type str"),
        (lambda bad: notify(bad, 0, b"x" * 11_000_000), "11000000 bytes"),
    ],
)
def test_a_bad_member_is_told_and_nothing_of_its_batch_is_written(
    spoil: Callable[[Transaction], None], told: str
) -> None:
    world, calls = World(), Calls()
    repo = world.client(calls)
    good, bad = Transaction(0), Transaction(0)
    good.write(ITEMS, key_of("good"), "a", b"x")
    spoil(bad)
    with pytest.raises(AdsIndexError, match=told) as error:
        repo.commit([good, bad])
    assert isinstance(error.value, InvalidMessageError | SettingsError)
    assert [name for name in calls.names if name.startswith(("put", "begin", "commit"))] == []


def test_a_batch_that_is_too_large_for_one_call_is_written_all_the_same() -> None:
    world = World()
    repo = world.client()
    transaction = Transaction(0)
    for number in range(20):
        transaction.write(DOCUMENTS, key_of(number), "content", b"v" * 1_000_000)
    assert repo.commit([transaction])[0].committed
    with repo.snapshot() as snapshot:
        assert len(snapshot.scan(DOCUMENTS, "content")) == 20


def test_the_longest_key_of_all_is_passed_by_scans_and_by_garbage_collection() -> None:
    world = World()
    repo = world.client()
    longest, after = b"k" * ROW_BYTES_MAX, b"l"
    for value in (b"old", b"new"):
        transaction = Transaction(repo.last_timestamp())
        for key in (longest, after):
            transaction.write(ITEMS, key, "a", value)
        assert repo.commit([transaction])[0].committed
    with repo.snapshot() as snapshot:
        (first,) = snapshot.scan(ITEMS, "a", limit=1)
        assert [key for key, _ in snapshot.scan(ITEMS, "a", after=first[0], limit=1)] == [after]
    assert sum(repo.collect_garbage(repo.last_timestamp(), limit=1) for _ in range(10)) == 2


@pytest.mark.parametrize(
    ("families", "told"),
    [
        ({"n": Family(3, scope=1)}, "no family d"),
        ({"d": Family(1), "n": Family(3, scope=1)}, "VERSIONS"),
        ({"d": Family(2_147_483_647), "n": Family(3)}, "REPLICATION_SCOPE"),
    ],
)
def test_a_table_with_other_families_is_refused_before_anything_is_stored(
    families: dict[str, Family], told: str
) -> None:
    world = World()
    repo = world.client()
    world.cells.require({TableNames().data("new"): families})
    with pytest.raises(SettingsError, match=told) as error:
        repo.declare([TableSpec("new", {"a": Keep.VERSIONED})])
    assert "alter 'adsindex.new'" in str(error.value)
    assert "new" not in [spec.name for spec in repo.tables()]


def test_a_group_whose_name_ends_as_a_shadow_cell_does_is_refused() -> None:
    with pytest.raises(SettingsError, match="C2 80"):
        World().client().declare([TableSpec("new", {"a\x80": Keep.VERSIONED})])


def test_names_of_tables_are_escaped_and_none_becomes_another() -> None:
    names = ["ref:items.parent", "ref-items.parent", "ref-3aitems.parent", "_jobs", "größe", "a b"]
    escaped = [TableNames("p.").data(name) for name in names]
    assert escaped[0] == "p.adsindex.ref-3aitems.parent"
    assert len(set(escaped)) == len(names)
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") for name in escaped
    )
    assert column_of("") == b"d:_" != column_of("__")
