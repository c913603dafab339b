"""Times: what people may write, and what they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.times import ago, clock_time_of, duration, iso, iso_of, parse_time
from proto.errors import SettingsError

NOW_MS = 1_763_843_643_120.0


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", NOW_MS),
        ("-5m", NOW_MS - 300e3),
        ("-1h30m", NOW_MS - 5400e3),
        ("-250ms", NOW_MS - 250),
        ("-1.5s", NOW_MS - 1500),
        ("2025-11-22T20:34:03.120Z", NOW_MS),
        ("2025-11-22 20:34:03.120", NOW_MS),
        ("2025-11-22T21:34:03.120+01:00", NOW_MS),
        ("2025-11-22", 1_763_769_600_000.0),
    ],
)
def test_a_time_means_the_end_of_its_millisecond(text: str, ms: float) -> None:
    assert parse_time(text, NOW_MS) == int(ms) * 1_000_000 + 999_999


def test_digits_are_a_timestamp() -> None:
    assert parse_time("1763843643120000001", NOW_MS) == 1763843643120000001


@pytest.mark.parametrize("text", ["", "yesterday", "-5", "5m", "-m", "2025-13-01", "--5m"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a time; write"):
        parse_time(text, NOW_MS)


@given(st.integers(0, 4_000_000_000_000), st.integers(0, 999_999))
def test_what_was_committed_in_a_shown_millisecond_is_seen_as_of_it(ms: int, counter: int) -> None:
    assert parse_time(iso(ms), 0.0) >= ms * 1_000_000 + counter
    assert parse_time(iso(ms), 0.0) < (ms + 1) * 1_000_000


def test_times_are_shown_in_utc_to_the_millisecond() -> None:
    assert iso_of(1763843643120999999) == "2025-11-22T20:34:03.120Z"
    assert clock_time_of(1763843643120999999) == "2025-11-22 20:34:03.120"


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0.71, "0.7 ms"), (12.4, "12 ms"), (3200, "3.2 s"), (300e3, "5 min"), (7200e3, "2.0 h"), (3 * 86400e3, "3 days")],
)
def test_durations_have_a_sensible_unit(ms: float, text: str) -> None:
    assert duration(ms) == text
    assert ago(NOW_MS - ms, NOW_MS).endswith(" ago")
    assert ago(NOW_MS + 2000, NOW_MS) == "in 2.0 s"
