"""Calls are cut between rows, by size and number, and nothing is lost or reordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo.hbase.batches import CALL_BYTES_MAX, CALL_ROWS_MAX, PART_ROWS_MIN, cut

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
