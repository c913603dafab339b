"""Puts, gets and scans: what the engine's reads are built of."""

import pytest

from proto.errors import InvalidMessageError, SettingsError
from repo.hbase.cells import Range, Stored
from repo.hbase.limits import ROW_BYTES_MAX
from tests.contract.cells.conftest import Served
from tests.support.hbase import eventually

A, B = b"d:a", b"d:b"


def put(served: Served, timestamp: int, row: bytes = b"r", column: bytes = A, value: bytes | None = None) -> None:
    served.cells.put(served.table, timestamp, {row: {column: b"%d" % timestamp if value is None else value}})


def newest(served: Served, before: int | None = None, row: bytes = b"r", column: bytes = A) -> Stored | None:
    return served.cells.get(served.table, [row], [column], before).get(row, {}).get(column)


def history(served: Served, before: int | None = None, limit: int = 100, column: bytes = A) -> list[int]:
    return [stored.timestamp for stored in served.cells.versions(served.table, b"r", column, before, limit)]


def test_a_bound_is_exclusive_and_gives_the_newest_below_it(served: Served) -> None:
    for timestamp in (10, 30, 20):
        put(served, timestamp)
    assert newest(served) == Stored(30, b"30")
    assert newest(served, 31) == Stored(30, b"30")
    assert newest(served, 30) == Stored(20, b"20")
    assert newest(served, 10) is None
    assert newest(served, 0) is None
    assert history(served) == [30, 20, 10]
    assert history(served, 30) == [20, 10]
    assert history(served, None, 2) == [30, 20]
    assert history(served, 0) == []


@pytest.mark.parametrize("before", [0, -1, -(2**62)])
def test_nothing_lies_below_a_bound_that_is_not_above_0(served: Served, before: int) -> None:
    put(served, 1)
    assert newest(served, before) is None
    assert history(served, before) == []
    assert served.cells.scan(served.table, b"", None, [A], before, 10) == []


def test_nobody_is_told_of_what_was_to_be_put_soon_and_could_not(served: Served) -> None:
    for _ in range(40):
        served.cells.put_soon("nowhere", 10, {b"r": {A: b"1"}})
    with pytest.raises(InvalidMessageError):
        served.cells.put_soon(served.table, 10, {b"": {A: b"1"}})


def test_a_scan_goes_on_above_the_longest_key_of_all(served: Served) -> None:
    longest = b"k" * ROW_BYTES_MAX
    put(served, 10, longest)
    put(served, 10, b"l")
    assert [row for row, _ in served.cells.scan(served.table, longest + b"\0", None, [A], None, 10)] == [b"l"]


def test_a_put_with_a_timestamp_that_is_there_replaces(served: Served) -> None:
    put(served, 10, value=b"first")
    put(served, 20)
    put(served, 10, value=b"second")
    assert served.cells.versions(served.table, b"r", A, None, 10) == [Stored(20, b"20"), Stored(10, b"second")]


def test_many_rows_and_columns_in_one_call(served: Served) -> None:
    served.cells.put(served.table, 5, {b"x": {A: b"1", B: b"2", b"n:q": b"3"}, b"y": {A: b""}})
    put(served, 7, b"x", A)
    assert served.cells.get(served.table, [b"y", b"no", b"x"], [A, B], 7) == {
        b"x": {A: Stored(5, b"1"), B: Stored(5, b"2")},
        b"y": {A: Stored(5, b"")},
    }
    assert served.cells.get(served.table, [b"x"], [b"d", b"n"]) == {
        b"x": {A: Stored(7, b"7"), B: Stored(5, b"2"), b"n:q": Stored(5, b"3")}
    }


def test_nothing_asked_nothing_found(served: Served) -> None:
    put(served, 5)
    assert served.cells.get(served.table, [], [A]) == {}
    assert served.cells.get(served.table, [b"r"], []) == {}
    served.cells.put(served.table, 5, {})
    served.cells.delete(served.table, 5, {})


def test_bytes_of_all_kinds(served: Served) -> None:
    row, column, value = bytes(range(256)), b"d:" + bytes(range(256)), bytes(range(255, -1, -1))
    put(served, 2**62, row, column, value)
    assert served.cells.get(served.table, [row], [column]) == {row: {column: Stored(2**62, value)}}
    assert served.cells.get(served.table, [row], [b"d"]) == {row: {column: Stored(2**62, value)}}


def test_a_scan_goes_in_order_between_its_bounds(served: Served) -> None:
    for number, row in enumerate((b"b", b"a\x00", b"a", b"c", b"\xff")):
        put(served, 10 + number, row)

    def scan(start: bytes, stop: bytes | None, before: int | None = None, limit: int = 100) -> list[bytes]:
        return [row for row, _ in served.cells.scan(served.table, start, stop, [A], before, limit)]

    assert scan(b"", None) == [b"a", b"a\x00", b"b", b"c", b"\xff"]
    assert scan(b"a\x00", b"c") == [b"a\x00", b"b"]
    assert scan(b"b", b"b") == scan(b"c", b"b") == scan(b"", b"") == []
    assert scan(b"", None, before=12) == [b"a\x00", b"b"]
    assert scan(b"", None, limit=3) == [b"a", b"a\x00", b"b"]
    assert scan(b"", None, limit=0) == []


def test_many_scans_in_one_call_are_answered_in_their_order(served: Served) -> None:
    for number in range(20):
        put(served, 10 + number, b"%02d" % number)
    ranges = [Range(b"%02d" % start, b"%02d" % (start + 3)) for start in (15, 0, 5, 0)]
    ranges += [Range(b"19", None), Range(b"5", b"4")]
    found = served.cells.scans(served.table, ranges, [A], 30, 2)
    assert [[row for row, _ in page] for page in found] == [
        [b"15", b"16"], [b"00", b"01"], [b"05", b"06"], [b"00", b"01"], [b"19"], []
    ]  # fmt: skip
    assert found == [served.cells.scan(served.table, *one, [A], 30, 2) for one in ranges]
    assert served.cells.scans(served.table, [], [A], 30, 2) == []


def test_a_soon_put_lands_in_its_time(served: Served) -> None:
    served.cells.put_soon(served.table, 10, {b"r": {A: b"soon"}})
    eventually(lambda: newest(served) == Stored(10, b"soon"), "a put for which nobody waits")
    with pytest.raises(InvalidMessageError):
        served.cells.put_soon(served.table, 10, {b"": {A: b"x"}})


def test_a_scan_does_not_count_rows_without_the_column(served: Served) -> None:
    for number in range(20):
        put(served, 10, b"%02d" % number, A if number % 5 == 0 else B)
    found = served.cells.scan(served.table, b"", None, [A], None, 3)
    assert found == [(b"%02d" % number, {A: Stored(10, b"10")}) for number in (0, 5, 10)]
    assert served.cells.scan(served.table, b"", None, [b"n"], None, 3) == []


def test_a_delete_takes_all_versions_up_to_its_timestamp_and_masks_later_puts(served: Served) -> None:
    for timestamp in (10, 20, 30):
        put(served, timestamp)
    put(served, 10, column=B)
    served.cells.delete(served.table, 20, {b"r": [A]})
    assert history(served) == [30]
    assert newest(served, 30) is None
    assert newest(served, column=B) == Stored(10, b"10")
    put(served, 15)
    put(served, 20)
    assert history(served) == [30]
    put(served, 21)
    assert history(served) == [30, 21]


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        (b"k" * 40_000, A, b"v"),
        (b"", A, b"v"),
        (b"r", b"d:", b"v"),
        (b"r", b"d", b"v"),
        (b"r", A, bytes(11 * 1024 * 1024)),
    ],
)
def test_what_can_never_be_stored_is_refused_before_anything_is_written(
    served: Served, row: bytes, column: bytes, value: bytes
) -> None:
    with pytest.raises(InvalidMessageError, match=served.table):
        served.cells.put(served.table, 10, {b"good": {A: b"v"}, row: {column: value}})
    assert served.cells.get(served.table, [b"good"], [A]) == {}


@pytest.mark.parametrize("row", [b"k" * 40_000, b""])
def test_a_key_that_no_row_can_have_is_refused_in_reads_too(served: Served, row: bytes) -> None:
    with pytest.raises(InvalidMessageError, match=rf"{served.table}.*{len(row)} bytes"):
        served.cells.get(served.table, [b"r", row], [A])
    with pytest.raises(InvalidMessageError, match=rf"{served.table}.*{len(row)} bytes"):
        served.cells.versions(served.table, row, A, None, 1)
    with pytest.raises(InvalidMessageError, match=rf"{served.table}.*{len(row)} bytes"):
        served.cells.delete(served.table, 10, {row: [A]})
    with pytest.raises(InvalidMessageError, match=rf"{served.table}.*{len(row)} bytes"):
        served.cells.check_and_put(served.table, row, A, None, b"v")


def test_a_scan_from_or_to_such_a_key_is_refused(served: Served) -> None:
    for start, stop in ((b"k" * 40_000, None), (b"", b"k" * 40_000)):
        with pytest.raises(InvalidMessageError, match=rf"{served.table}.*40000 bytes"):
            served.cells.scan(served.table, start, stop, [A], None, 1)


@pytest.mark.parametrize("timestamp", [0, -1, 2**63 - 1])
def test_a_timestamp_that_hbase_would_take_for_something_else_is_refused(served: Served, timestamp: int) -> None:
    with pytest.raises(InvalidMessageError, match="timestamp"):
        put(served, timestamp)
    with pytest.raises(InvalidMessageError, match="timestamp"):
        served.cells.delete(served.table, timestamp, {b"r": [A]})


def test_of_several_rows_with_one_of_no_family_the_others_are_stored(served: Served) -> None:
    with pytest.raises(SettingsError, match=rf"{served.table}.*zz"):
        served.cells.put(served.table, 10, {b"good": {A: b"1"}, b"bad": {A: b"2", b"zz:q": b"3"}})
    assert served.cells.get(served.table, [b"good", b"bad"], [A]) == {b"good": {A: Stored(10, b"1")}}


def test_a_family_that_is_not_there(served: Served) -> None:
    with pytest.raises(SettingsError, match=rf"{served.table}.*zz"):
        served.cells.get(served.table, [b"r"], [b"zz:q"])
    with pytest.raises(SettingsError, match=rf"{served.table}.*zz"):
        served.cells.versions(served.table, b"r", b"zz:q", None, 1)
    with pytest.raises(SettingsError, match=rf"{served.table}.*zz"):
        served.cells.scan(served.table, b"", None, [b"zz"], None, 1)
    with pytest.raises(SettingsError, match=rf"{served.table}.*zz"):
        served.cells.delete(served.table, 10, {b"r": [b"zz:q"]})
    with pytest.raises(SettingsError, match=rf"{served.table}.*zz"):
        served.cells.check_and_put(served.table, b"r", b"zz:q", None, b"v")


def test_a_table_that_is_not_there(served: Served) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        served.cells.put("nowhere", 10, {b"r": {A: b"1"}})
    with pytest.raises(SettingsError, match="nowhere"):
        served.cells.get("nowhere", [b"r"], [A])
    with pytest.raises(SettingsError, match="nowhere"):
        served.cells.scan("nowhere", b"", None, [A], None, 1)
    with pytest.raises(SettingsError, match="nowhere"):
        served.cells.check_and_put("nowhere", b"r", A, None, b"v")


def test_regions_cover_all_rows(served: Served) -> None:
    regions = served.cells.regions(served.table)
    assert regions[0][0] == b""
    assert regions[-1][1] is None
    assert [start for start, _ in regions[1:]] == [stop for _, stop in regions[:-1]]
