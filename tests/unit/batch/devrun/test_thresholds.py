"""Limits that a release must keep."""

import pytest

from batch.devrun.report import FieldReport, Report, Shift, Times, TypeReport
from batch.devrun.thresholds import exceeded, parse_limits
from proto.errors import SettingsError


def report_of(*fields: FieldReport, lost: int = 0) -> Report:
    return Report("data", 1, "now", 1, "all", "new", [], [], [TypeReport("ad", 100, lost_after=lost)], list(fields), [])


def sentences(report: Report, option: str, *texts: str) -> list[str]:
    return [failure.sentence for failure in exceeded(report, {option: parse_limits(option, texts)})]


BID = FieldReport("ad", "bid", "int", "bid", compared=100, same=88, changed=12, new_nulls=2)
TITLE = FieldReport("ad", "title", "str", "title", compared=98, same=98, errors_after=2, new_errors=2)
SLOW = FieldReport(
    "ad", "slow", "str", "slow", compared=100, shift=Shift("TV", 0.25, None, None, [], []), times=Times(10, 30, 10, 30)
)


def test_a_limit_holds_for_every_field_and_one_of_its_own_goes_before() -> None:
    report = report_of(BID, TITLE)
    assert sentences(report, "max-changed", "5%") == ["bid changes on 12 of 100 (12.0 %); 5 % is allowed"]
    assert sentences(report, "max-changed", "12") == []
    assert sentences(report, "max-changed", "11") == ["bid changes on 12 of 100 (12.0 %); 11 is allowed"]
    assert sentences(report, "max-changed", "5%", "bid=12%") == []
    assert sentences(report, "max-changed", "bid=1%", "title=0") == [
        "bid changes on 12 of 100 (12.0 %); 1 % is allowed"
    ]


def test_each_limit_measures_its_own() -> None:
    report = report_of(BID, TITLE, SLOW)
    assert sentences(report, "max-errors", "0") == ["title fails with the new code on 2 of 100 (2.0 %); 0 is allowed"]
    assert sentences(report, "max-new-nulls", "1%") == ["bid becomes NULL on 2 of 100 (2.0 %); 1 % is allowed"]
    assert sentences(report, "max-shift", "0.2") == ["slow shifts by 0.25; 0.2 is allowed"]
    assert sentences(report, "max-slower", "2") == ["slow takes, as a multiple of now, 3; 2 is allowed"]


def test_a_document_that_was_lost_is_an_error() -> None:
    assert sentences(report_of(TITLE, lost=1), "max-errors", "2") == []
    assert sentences(report_of(lost=1), "max-errors", "0") == [
        "ad documents crash the new code or hang in it on 1 of 100 (1.0 %); 0 is allowed"
    ]


@pytest.mark.parametrize("text", ["", "5 per cent", "-1", "bid=", "bid=x"])
def test_what_is_no_limit_is_told(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--max-changed .*as in 12, 5% or FIELD=5%"):
        parse_limits("max-changed", [text])


def test_an_unknown_field_is_told() -> None:
    with pytest.raises(SettingsError, match="--max-errors bidd: there is no such field; did you mean 'bid'"):
        sentences(report_of(BID), "max-errors", "bidd=0")
