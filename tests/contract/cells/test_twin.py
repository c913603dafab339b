"""Whatever is done to it, the twin answers as HBase does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repo.hbase.cells import Cells, Family
from repo.hbase.memory import MemoryCells
from tests.support.cluster import RunningCluster
from tests.support.engines import ManualClock
from tests.support.hbase import new_table, real_cells, real_tables

FAMILIES = {"d": Family(versions=2**31 - 1), "n": Family(versions=3, scope=1)}
EXAMPLE = count()


@dataclass
class Both:
    """Two implementations with the same table."""

    table: str
    real: Cells
    twin: Cells
    clock: ManualClock


Operation = Callable[[Both, bytes], None]
"""Does the same to both and compares the answers. Each row begins with the given prefix, which no other example has."""


@pytest.fixture(scope="module")
def both(hbase: RunningCluster) -> Iterator[Both]:
    clock, table = ManualClock(), new_table("twin")
    real, twin = real_cells(hbase), MemoryCells(clock)
    real_tables(hbase).require({table: FAMILIES})
    twin.require({table: FAMILIES})
    yield Both(table, real, twin, clock)
    real.close()
    real_tables(hbase).drop(table)


def put(timestamp: int, rows: dict[bytes, dict[bytes, bytes]]) -> Operation:
    def run(both: Both, prefix: bytes) -> None:
        for cells in (both.real, both.twin):
            cells.put(both.table, timestamp, {prefix + row: values for row, values in rows.items()})

    return run


def delete(timestamp: int, rows: dict[bytes, list[bytes]]) -> Operation:
    def run(both: Both, prefix: bytes) -> None:
        for cells in (both.real, both.twin):
            cells.delete(both.table, timestamp, {prefix + row: columns for row, columns in rows.items()})

    return run


def check_and_put(row: bytes, column: bytes, expected: bytes | None, value: bytes) -> Operation:
    def run(both: Both, prefix: bytes) -> None:
        arguments = (both.table, prefix + row, column, expected, value)
        answer = both.real.check_and_put(*arguments)
        newest = both.real.get(both.table, [prefix + row], [column]).get(prefix + row, {}).get(column)
        # the server's clock, of which we see what it wrote; nothing if what was there is newer
        both.clock.ms = min(newest.timestamp, 10**18) if newest is not None else 1
        assert both.twin.check_and_put(*arguments) == answer

    return run


def get(rows: list[bytes], columns: list[bytes], before: int | None) -> Operation:
    def run(both: Both, prefix: bytes) -> None:
        real, twin = (
            cells.get(both.table, [prefix + row for row in rows], columns, before) for cells in (both.real, both.twin)
        )
        assert twin == real

    return run


def versions(row: bytes, column: bytes, before: int | None, limit: int) -> Operation:
    def run(both: Both, prefix: bytes) -> None:
        real, twin = (
            cells.versions(both.table, prefix + row, column, before, limit) for cells in (both.real, both.twin)
        )
        assert twin == real

    return run


def scan(start: bytes, stop: bytes, columns: list[bytes], before: int | None, limit: int) -> Operation:
    def run(both: Both, prefix: bytes) -> None:
        real, twin = (
            cells.scan(both.table, prefix + start, prefix + stop, columns, before, limit)
            for cells in (both.real, both.twin)
        )
        assert twin == real

    return run


ROWS = st.sampled_from([b"a", b"b", b"b\x00", b"c"])
COLUMN = st.sampled_from([b"d:p", b"d:q", b"n:p"])
ASKED = st.lists(st.sampled_from([b"d:p", b"d:q", b"n:p", b"d:", b"d", b"n"]), max_size=3)
VALUE = st.sampled_from([b"", b"x", b"y"])
TIMESTAMP = st.sampled_from([1, 2, 3, 4, 5, 2 * 10**18, 2 * 10**18 + 1])
"""Some below the server's time, which check_and_put takes, and some above."""
BEFORE = st.none() | st.integers(0, 6) | st.sampled_from([2 * 10**18, 2 * 10**18 + 1, 2 * 10**18 + 2])

OPERATIONS = st.one_of(
    st.builds(put, TIMESTAMP, st.dictionaries(ROWS, st.dictionaries(COLUMN, VALUE, max_size=3), max_size=3)),
    st.builds(delete, TIMESTAMP, st.dictionaries(ROWS, st.lists(COLUMN, max_size=2), max_size=2)),
    st.builds(check_and_put, ROWS, COLUMN, st.none() | VALUE, VALUE),
    st.builds(get, st.lists(ROWS, max_size=4), ASKED, BEFORE),
    st.builds(versions, ROWS, COLUMN, BEFORE, st.integers(0, 5)),
    st.builds(scan, ROWS, ROWS, ASKED, BEFORE, st.integers(0, 4)),
)


@settings(max_examples=60)
@example([put(1, {b"a": {b"d:p": b"x"}}), delete(2, {b"a": [b"d:p"]}), check_and_put(b"a", b"d:p", None, b"y")])
@given(st.lists(OPERATIONS, max_size=25))
def test_both_answer_the_same(both: Both, operations: list[Operation]) -> None:
    prefix = b"%06d-" % next(EXAMPLE)
    for operation in [*operations, scan(b"", b"\xff", [b"d", b"n"], None, 10)]:
        operation(both, prefix)
    for column in (b"d:p", b"d:q", b"n:p"):
        for row in (b"a", b"b", b"b\x00", b"c"):
            versions(row, column, None, 10)(both, prefix)
