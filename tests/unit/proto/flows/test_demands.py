"""What a condition demands, in words."""

import pytest

from proto.flows.conditions import parse
from proto.flows.demands import parts_of


@pytest.mark.parametrize(
    ("condition", "demand"),
    [
        ("status = 'ACTIVE'", "must be ACTIVE"),
        ("status <> 'PAUSED'", "must not be PAUSED"),
        ("not status = 'PAUSED'", "must not be PAUSED"),
        ("review in ('APPROVED', 'EXEMPT')", "must be one of APPROVED, EXEMPT"),
        ("review not in ('A', 'B')", "must be none of A, B"),
        ("budget > 0", "must be above 0"),
        ("budget >= -5", "must be at least -5"),
        ("budget < 7", "must be below 7"),
        ("budget <= 7.5", "must be at most 7.5"),
        ("budget between 1 and 5", "must be between 1 and 5"),
        ("name is null", "must be empty (NULL)"),
        ("name is not null", "must be set"),
        ("is_open", "must be true"),
        ("not is_open", "must be false"),
        ("name like 'x%'", "must be like x%"),
        ("name not like 'x%'", "must not be like x%"),
        ("(is_open)", "must be true"),
        ("lower(name) = 'x'", ""),
        ("a = 1 or b = 2", ""),
        ("0 < budget", ""),
        ("not (a = 1 or b = 2)", ""),
    ],
)
def test_a_part_says_what_its_path_must_be(condition: str, demand: str) -> None:
    (part,) = parts_of(parse(condition))
    assert part.demand == demand


def test_parts_are_what_and_connects_however_it_is_nested() -> None:
    parts = parts_of(parse("a = 1 and (b.c = 2 and (d or e)) and not f"))
    assert [part.condition.paths for part in parts] == [("a",), ("b.c",), ("d", "e"), ("f",)]


def test_all_parts_together_mean_the_condition() -> None:
    condition = parse("a > 1 and b is not null and (a < 5 or b = 2)")
    types = {"a": "int", "b": "int"}
    for a in (None, 0, 2, 9):
        for b in (None, 2, 3):
            outcomes = [
                part.condition.compile(types)([{"a": a, "b": b}[path] for path in part.condition.paths])
                for part in parts_of(condition)
            ]
            whole = condition.compile(types)([{"a": a, "b": b}[path] for path in condition.paths])
            assert (all(outcome is True for outcome in outcomes)) is (whole is True)
