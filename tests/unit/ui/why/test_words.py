"""Times, spans, lists and values in sentences."""

from ui.why.words import counted, listed, moment, moment_of, span, value_text, writer_text

NOON_MS = 1_763_812_800_000.0  # 2025-11-22 12:00:00 UTC


def test_a_moment_of_today_has_no_date() -> None:
    assert moment(NOON_MS + 4.2, NOON_MS + 1000) == "12:00:00.004 UTC"
    assert moment(NOON_MS, NOON_MS + 86_400_000) == "2025-11-22 12:00:00.000 UTC"
    assert moment_of(int(NOON_MS) * 1_000_000 + 7, NOON_MS) == "12:00:00.000 UTC"


def test_spans_have_one_unit() -> None:
    assert [span(ms) for ms in (2.6, 12_300, 300_000, 7_200_000, 345_600_000)] == [
        "3 ms",
        "12 s",
        "5 min",
        "2 h",
        "4 days",
    ]


def test_long_lists_are_counted() -> None:
    assert [listed(list("abcde")[:count]) for count in range(5)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
        "a, b, c and 1 more",
    ]
    assert (counted(1, "change"), counted(1200, "change")) == ("1 change", "1,200 changes")


def test_values_and_writers_as_people_say_them() -> None:
    assert [value_text(value) for value in (None, "", "PAUSED", 0, 1.5, True, ["a"])] == [
        "not set (NULL)",
        "empty",
        "PAUSED",
        "0",
        "1.5",
        "true",
        '["a"]',
    ]
    assert writer_text("source main @ 4711") == "source main, position 4711"
    assert writer_text("pace_campaign v2") == "by pace_campaign v2"
