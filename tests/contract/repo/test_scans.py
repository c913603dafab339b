"""Scans by key range at a snapshot, ranges for parallel scans, and entries of indexes by prefix."""

import pytest

from repo.api import Transaction, Version
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, Engine, key_of
from tests.support.hbase import eventually


def fill(engine: Engine, count: int, table: str = ITEMS, group: str = "a") -> int:
    transaction = engine.begin()
    for number in range(count):
        transaction.write(table, key_of(number), group, b"%d" % number)
    return engine.commit(transaction)[0].commit_timestamp


@pytest.mark.parametrize(("table", "group"), [(ITEMS, "b"), (DOCUMENTS, "content"), (DOCUMENTS, "build")])
def test_a_scan_gives_the_rows_of_its_group_in_key_order(engine: Engine, table: str, group: str) -> None:
    for other_table, other in ((ITEMS, "a"), (ITEMS, "b"), (DOCUMENTS, "content"), (DOCUMENTS, "build")):
        if (other_table, other) != (table, group):
            fill(engine, 5, other_table, other)
    timestamp = fill(engine, 3, table, group)
    with engine.repo.snapshot() as snapshot:
        assert snapshot.scan(table, group) == [
            (key_of(number), Version(timestamp, b"%d" % number)) for number in range(3)
        ]


def test_a_scan_is_as_of_its_snapshot_and_leaves_out_what_is_deleted(engine: Engine) -> None:
    fill(engine, 4)
    with engine.repo.snapshot() as before:
        engine.put(1, b"changed")
        engine.put(2, None)
        engine.put(7, b"new")
        with engine.repo.snapshot() as after:
            assert [version.value for _, version in after.scan(ITEMS, "a")] == [b"0", b"changed", b"3", b"new"]
        assert [version.value for _, version in before.scan(ITEMS, "a")] == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize("group", ["a", "b"])
def test_a_scan_goes_on_after_its_last_row(engine: Engine, group: str) -> None:
    fill(engine, 25, group="a")
    fill(engine, 25, group="b")
    found, after = [], b""
    with engine.repo.snapshot() as snapshot:
        for wanted in (10, 10, 5, 0):
            rows = snapshot.scan(ITEMS, group, after, limit=10)
            assert len(rows) == wanted
            found += [key for key, _ in rows]
            after = found[-1]
        assert found == [key_of(number) for number in range(25)]
        assert len(snapshot.scan(ITEMS, group, limit=25)) == 25


def test_a_scan_ends_before_its_bound(engine: Engine) -> None:
    fill(engine, 10)
    with engine.repo.snapshot() as snapshot:
        rows = snapshot.scan(ITEMS, "a", after=key_of(2), before=key_of(5))
    assert [key for key, _ in rows] == [key_of(3), key_of(4)]


def test_a_scan_finds_live_rows_behind_any_number_of_deleted_ones(engine: Engine) -> None:
    fill(engine, 1000)
    transaction = engine.begin()
    for number in range(995):
        transaction.delete(ITEMS, key_of(number), "a")
    engine.commit(transaction)
    with engine.repo.snapshot() as snapshot:
        assert [key for key, _ in snapshot.scan(ITEMS, "a", limit=3)] == [key_of(number) for number in (995, 996, 997)]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("rows", [0, 1, 5, 500])
def test_partitions_cover_each_row_exactly_once(engine: Engine, rows: int, count: int) -> None:
    fill(engine, rows)

    def largest() -> int:
        with engine.repo.snapshot() as snapshot:
            ranges = snapshot.partitions(ITEMS, count)
            parts = [
                [key for key, _ in snapshot.scan(ITEMS, "a", after, before, limit=rows + 1)] for after, before in ranges
            ]
        assert 1 <= len(ranges) <= count
        assert [key for part in parts for key in part] == [key_of(number) for number in range(rows)]
        return max(map(len, parts))

    most = 1.3 * rows / count + 2 if rows == 500 else rows
    eventually(lambda: largest() <= most, "parts of equal size: an engine may sample what it writes a little later")


def test_entries_of_many_prefixes_in_one_call(engine: Engine) -> None:
    transaction = engine.begin()
    for parent in range(4):
        for child in range(parent):
            transaction.write_index(LINKS, key_of(parent) + key_of(child), key_of(child))
    engine.commit(transaction)
    with engine.repo.snapshot() as snapshot:
        found = snapshot.scan_prefixes(LINKS, [key_of(3), key_of(0), key_of(1), key_of(99)], limit_each=2)
    assert found == [
        [(key_of(3) + key_of(0), key_of(0)), (key_of(3) + key_of(1), key_of(1))],
        [],
        [(key_of(1) + key_of(0), key_of(0))],
        [],
    ]


def test_entries_after_the_last_one_seen(engine: Engine) -> None:
    transaction = engine.begin()
    for child in range(7):
        transaction.write_index(LINKS, key_of(1) + key_of(child), b"")
    transaction.write_index(LINKS, key_of(2) + key_of(0), b"")
    engine.commit(transaction)
    found, after = [], b""
    with engine.repo.snapshot() as snapshot:
        for wanted in (3, 3, 1, 0):
            (entries,) = snapshot.scan_prefixes(LINKS, [key_of(1)], 3, after)
            assert len(entries) == wanted
            found += [key for key, _ in entries]
            after = found[-1]
    assert found == [key_of(1) + key_of(child) for child in range(7)]


def test_a_deleted_entry_is_gone_and_deleting_it_again_is_harmless(engine: Engine) -> None:
    for _ in range(2):
        transaction = engine.begin()
        transaction.write_index(LINKS, b"p1", b"x")
        transaction.write_index(LINKS, b"p2", b"y")
        engine.commit(transaction)
        for _ in range(2):
            transaction = Transaction(engine.repo.last_timestamp())
            transaction.delete_index(LINKS, b"p1")
            assert engine.commit(transaction)[0].committed
        with engine.repo.snapshot() as snapshot:
            assert snapshot.scan_prefixes(LINKS, [b"p"], 10) == [[(b"p2", b"y")]]
