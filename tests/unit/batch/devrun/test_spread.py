"""How far two distributions are apart."""

from typing import Any

import pytest

from batch.devrun.spread import Spread


def spread_of(values: list[Any], kind: str = "any") -> Spread:
    spread = Spread(kind)
    for value in values:
        spread.add(value)
    return spread


@pytest.mark.parametrize(
    ("before", "after", "measure", "distance"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], "KS", 0.0),
        ([1, 2, 3, 4], [5, 6, 7, 8], "KS", 1.0),
        ([1, 2, 3, 4], [1, 2, 7, 8], "KS", 0.5),
        ([1, 2, 3, 4], [1, 2, 3, None], "KS", 0.25),
        (["a", "b"], ["a", "c"], "TV", 0.5),
        (["a", None], [None, None], "TV", 0.5),
        ([True, True], [False, True], "TV", 0.5),
        ([[1], [2]], [[1], [2]], "TV", 0.0),
        ([None, None], [None, None], "TV", 0.0),
        ([1, 2], [None, None], "TV", 1.0),
    ],
)
def test_distances(before: list[Any], after: list[Any], measure: str, distance: float) -> None:
    found = spread_of(before).distance(spread_of(after))
    assert found == (measure, pytest.approx(distance))


def test_quantiles_are_of_numbers_only() -> None:
    quantiles = spread_of([*range(101), None]).quantiles()
    assert quantiles is not None
    assert (quantiles.min, quantiles.p10, quantiles.p50, quantiles.p90, quantiles.max, quantiles.mean) == (
        0, 10, 50, 90, 100, 50,
    )  # fmt: skip
    assert spread_of([1, "a"]).quantiles() is None
    assert spread_of(["1.5", "2.5"], "decimal").quantiles() is not None


def test_the_most_frequent_come_first_null_among_them() -> None:
    assert spread_of(["b", None, None, "a", "b", "b"]).top(2) == [("b", 3), ("NULL", 2)]
