"""What stands out about a field: each kind of mistake has its sentence, and a change that is meant has none of them."""

from collections.abc import Iterable
from typing import Any

import pytest

from batch.devrun.findings import amount, duration_us, findings_of, percent
from batch.devrun.messages import FieldFacts, Trouble
from batch.devrun.report import FieldReport
from batch.devrun.tally import EXAMPLES_MAX, FieldTally

Pairs = Iterable[tuple[Any, Any]]


def tally_of(pairs: Pairs, kind: str = "int", code: int = 2, sensitive: bool = False) -> FieldTally:
    """Code 1: not edited."""
    before = FieldFacts("bid", kind, "bid v1", 1, 1, sensitive=sensitive)
    tally = FieldTally("ad", before, FieldFacts("bid", kind, "bid v1", code, 1))
    for number, (old, new) in enumerate(pairs):
        tally.add(f"ad/{number}", old, new)
    return tally


def found(tally: FieldTally) -> dict[str, str]:
    """Code -> sentence."""
    report = finished(tally)
    return {one.code: one.sentence for one in report.findings}


def finished(tally: FieldTally) -> FieldReport:
    report = tally.finished()
    report.findings = findings_of(tally)
    return report


def test_nothing_stands_out_where_nothing_changes() -> None:
    report = finished(tally_of([(number, number) for number in range(50)]))
    assert (report.same, report.changed, report.findings, report.score, report.shift) == (50, 0, [], 0.0, None)


def test_a_change_that_is_meant_is_told_and_no_more() -> None:
    assert found(tally_of((number, number * 2) for number in range(1, 50))).keys() == {"changed"}


def test_a_field_that_nobody_edited_is_told() -> None:
    assert "not edited" in found(tally_of([(1, 2)] * 5, code=1))


@pytest.mark.parametrize("factor", [1_000_000, 1000, 100])
def test_another_unit_is_recognized_in_both_directions_and_through_rounding(factor: int) -> None:
    amounts = [number * 1_234_567 + 3_000_000 for number in range(40)]
    text = f"is about {factor:,} times smaller on 40 of 40 that change: another unit?"
    assert found(tally_of((amount, amount // factor) for amount in amounts))["factor"] == text
    larger = found(tally_of((amount, amount * factor) for amount in amounts))["factor"]
    assert f"{factor:,} times as large" in larger
    decimals = tally_of(((f"{amount}.25", f"{amount / factor:.2f}") for amount in amounts), kind="decimal")
    assert "another unit?" in found(decimals)["factor"]


def test_a_few_that_change_by_much_among_many_that_change_a_little_are_told() -> None:
    pairs = [(number + 1, number + 2) for number in range(96)] + [(5, 5_000_000)] * 4
    assert found(tally_of(pairs))["factor"].startswith("changes by a factor of 100 and more on 4 ")


def test_signs_that_flip_are_told() -> None:
    pairs = [(number, number) for number in range(97)] + [(3, -3)] * 3
    assert found(tally_of(pairs))["sign"] == "flips its sign on 3 (3.0 %)"


def test_nulls_types_and_orders_are_told() -> None:
    assert found(tally_of([(1, None), (None, 2), (3, 3), (4, 4)])) == {
        "new nulls": "becomes NULL on 1 (25.0 %)",
        "nulls filled": "was NULL, has a value now on 1 (25.0 %)",
        "changed": "changes on 2 of 4 (50.0 %)",
    }
    assert found(tally_of([(1, 1.0)] * 3))["type"] == "changes its type on 3: int -> float"
    assert found(tally_of([([1, 2], [2, 1])] * 2, kind="list"))["order"] == "holds the same in another order on 2"


def test_a_time_that_is_off_by_the_same_everywhere_is_told() -> None:
    pairs = [(f"2026-03-{day:02}T09:00:00Z", f"2026-03-{day:02}T11:00:00Z") for day in range(1, 20)]
    assert found(tally_of(pairs, kind="datetime"))["offset"] == "is 2 hours later on nearly all"


def test_few_documents_that_change_strongly_weigh_more_than_many_that_change() -> None:
    few = finished(tally_of([("a", "a")] * 98 + [("a", "z")] * 2, kind="str"))
    many = finished(tally_of([("a", "z")] * 98 + [("a", "a")] * 2, kind="str"))
    assert few.score > many.score


def test_failures_are_told_apart() -> None:
    tally, trouble = tally_of([(1, 1)] * 97), Trouble("ValueError", "no")
    for before, after in ((None, trouble), (None, trouble), (trouble, trouble), (trouble, None)):
        tally.failed(before, after)
    assert found(tally) == {
        "errors": "fails on 2 (2.0 %) that work with the running code",
        "mended": "works on 1 that fail with the running code",
    }


def test_slower_is_told_when_it_is_the_function_and_not_the_machine() -> None:
    def timed(before: Iterable[int], after: Iterable[int]) -> dict[str, str]:
        tally = tally_of([])
        for old, new in zip(before, after, strict=True):
            tally.took(old, new)
        return found(tally)

    assert timed([10_000] * 100, [21_000] * 100) == {"slower": "takes 10.0 us -> 21.0 us a document"}
    assert timed([10_000] * 100, [10_000] * 98 + [900_000] * 2) == {}
    assert timed([500] * 100, [1_200] * 100) == {}
    rarely = timed([10_000] * 200, [10_000] * 192 + [900_000] * 8)
    assert rarely == {"slower": "takes far longer than usual on 8 (0 with the running code)"}


def test_examples_are_the_largest_differences_each_kind_once_first() -> None:
    pairs = [(100, 101)] * 30 + [(100, 900)] + [(100, -100)]
    report = finished(tally_of(pairs))
    assert len(report.examples) == EXAMPLES_MAX
    assert [(one.id, one.after) for one in report.examples[:3]] == [("ad/31", -100), ("ad/30", 900), ("ad/0", 101)]


def test_sensitive_values_are_counted_and_not_shown() -> None:
    report = finished(tally_of([("ana@example.org", None), ("bo@example.org", "bo")], kind="str", sensitive=True))
    assert (report.changed, report.new_nulls) == (2, 1)
    assert "example.org" not in repr(report) and report.examples[0].before == "(masked)"


def test_numbers_for_people() -> None:
    assert [percent(share) for share in (0, 0.0004, 0.031, 0.9999, 1)] == ["0 %", "< 0.1 %", "3.1 %", "99.9 %", "100 %"]
    assert [amount(value) for value in (1_800_330.4, 0.731, 12.0, -3.5)] == ["1,800,330", "0.731", "12", "-3.5"]
    assert [duration_us(us) for us in (3.21, 1_400, 2e6)] == ["3.2 us", "1.4 ms", "2.0 s"]
