"""Whom an ad is for."""

from argus.ads.fields.targeting import age_buckets, targeted_countries, targeting_summary


def test_targeted_countries_are_distinct_and_in_order() -> None:
    assert targeted_countries(["US", "DE", "DE", "FR"], [False, False, True, True]) == ["DE", "US"]
    assert targeted_countries([], []) == []


def test_age_buckets_that_the_range_touches() -> None:
    assert age_buckets(24, 35) == ["18-24", "25-34", "35-44"]
    assert age_buckets(60, None) == ["55-64", "65-120"]
    assert len(age_buckets(None, None)) == 6
    assert age_buckets(40, 30) == []


def test_targeting_summary_is_one_line() -> None:
    summary = targeting_summary(["US", "DE"], [False, False], 18, None, "FEMALE", [3, 9])
    assert summary == "DE, US | 18- | FEMALE | 2 interests"
    assert targeting_summary([], [], None, None, None, []) == "everywhere | all ages | ALL | 0 interests"
