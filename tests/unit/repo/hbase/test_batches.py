"""Calls are cut between rows, by size and number, and nothing is lost or reordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo.hbase.batches import ANSWER_ROWS_MAX, CALL_BYTES_MAX, CALL_ROWS_MAX, PART_ROWS_MIN, AnswerSizes, cut
from repo.hbase.cells import Row, Stored

MEBI = 1024 * 1024


@given(st.lists(st.sampled_from([1, 1 * MEBI, 3 * MEBI, 9 * MEBI]), max_size=300), st.integers(1, 4))
def test_nothing_is_lost_and_no_call_is_too_large(sizes: list[int], ways: int) -> None:
    rows = {b"%d" % number: size for number, size in enumerate(sizes)}
    batches = list(cut(rows, rows.__getitem__, ways))
    assert [row for batch in batches for row in batch] == list(rows)
    for batch in batches:
        assert len(batch) == 1 or sum(rows[row] for row in batch) <= CALL_BYTES_MAX


@pytest.mark.parametrize(
    ("rows", "ways", "expected"),
    [
        (0, 3, []),
        (1, 3, [1]),
        (PART_ROWS_MIN, 3, [100]),
        (150, 3, [100, 50]),
        (600, 3, [200, 200, 200]),
        (600, 1, [CALL_ROWS_MAX, 100]),
        (2000, 3, [500, 500, 500, 500]),
    ],
)
def test_as_many_calls_as_can_be_made_side_by_side_but_no_small_ones(rows: int, ways: int, expected: list[int]) -> None:
    assert [len(batch) for batch in cut([b"r"] * rows, len, ways)] == expected


def test_the_larger_rows_were_the_fewer_are_asked_for() -> None:
    sizes, columns = AnswerSizes(), [b"d:a"]
    assert sizes.rows_max("t", columns) == sizes.rows_at_first("t", columns) == 32, "nothing is known yet"
    sizes.saw("t", columns, rows_of(100, 100, 100))
    assert sizes.rows_max("t", columns) == ANSWER_ROWS_MAX
    assert sizes.rows_at_first("t", columns) == 0
    sizes.saw("t", columns, rows_of(MEBI, MEBI, MEBI))
    assert sizes.rows_max("t", columns) == 4
    sizes.saw("t", columns, rows_of(100))
    assert sizes.rows_max("t", columns) == 8, "large ones are not forgotten at once"
    sizes.saw("t", columns, rows_of(9 * MEBI))
    sizes.saw("t", columns, [])
    assert sizes.rows_max("t", columns) == 1
    assert sizes.rows_max("t", [b"d:b"]) == sizes.rows_max("u", columns) == 32


def test_where_nothing_was_neither_few_nor_many_are_asked_for() -> None:
    sizes = AnswerSizes()
    sizes.saw("t", [b"d:a"], [])
    assert sizes.rows_max("t", [b"d:a"]) == PART_ROWS_MIN
    assert sizes.rows_at_first("t", [b"d:a"]) == 0


def test_tombstones_have_no_size() -> None:
    sizes = AnswerSizes()
    sizes.saw("t", [b"d:a"], rows_of(0, 0))
    assert sizes.rows_max("t", [b"d:a"]) == ANSWER_ROWS_MAX


def rows_of(*sizes: int) -> list[Row]:
    return [{b"d:a": Stored(1, bytes(size))} for size in sizes]
