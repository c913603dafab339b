"""A pure function over shared rows runs once for each of them."""

from argus.memo import RESULTS_MAX, Memo


def test_the_same_row_objects_are_computed_once_equal_ones_again() -> None:
    calls: list[list[int]] = []
    memo = Memo(lambda row: calls.append(row) or sum(row))
    row, equal = [1, 2], [1, 2]
    assert [memo(row), memo(row), memo(equal)] == [3, 3, 3]
    assert len(calls) == 2


def test_a_failure_is_not_kept() -> None:
    answers = iter([ValueError("no"), 7])

    def sometimes(row: list[int]) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    memo, row = Memo(sometimes), [1]
    try:
        memo(row)
    except ValueError:
        pass
    assert memo(row) == 7


def test_it_is_bounded_and_rows_that_are_forgotten_are_computed_again() -> None:
    count = 0

    def counting(row: list[int]) -> int:
        nonlocal count
        count += 1
        return row[0]

    memo = Memo(counting)
    rows = [[at] for at in range(RESULTS_MAX + 1)]
    assert [memo(row) for row in rows] == list(range(RESULTS_MAX + 1))
    assert memo(rows[0]) == 0
    assert count == RESULTS_MAX + 2
