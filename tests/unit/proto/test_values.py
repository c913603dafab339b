"""What a raw value of a database becomes, per column type; what a handler gets, and what it may return."""

import enum
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import ValueTypeError
from proto.values import COLUMN_TYPES, coerce, from_python, to_python

EAST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        ("int", 5, 5), ("int", "-5", -5), ("int", 5.0, 5), ("int", True, 1), ("int", 2**63 - 1, 2**63 - 1),
        ("float", 1, 1.0), ("float", "1.5", 1.5), ("float", Decimal("0.25"), 0.25), ("float", -0.0, 0.0),
        ("decimal", "1.50", "1.50"), ("decimal", 0.1, "0.1"), ("decimal", 3, "3"), ("decimal", "1E+3", "1000"),
        ("decimal", Decimal("-0.000001"), "-0.000001"), ("decimal", " 7 ", "7"),
        ("bool", 1, True), ("bool", 0, False), ("bool", "true", True), ("bool", "F", False), ("bool", 1.0, True),
        ("str", "", ""), ("str", "Größe 🎈", "Größe 🎈"), ("str", 5, "5"), ("str", "x" * 1_000_000, "x" * 1_000_000),
        ("bytes", b"\0\xff", b"\0\xff"), ("bytes", "ä", "ä".encode()), ("bytes", bytearray(b"x"), b"x"),
        ("date", "2024-02-29", "2024-02-29"), ("date", date(1, 1, 1), "0001-01-01"),
        ("date", datetime.fromisoformat("9999-12-31T23:00"), "9999-12-31"),
        ("date", "2024-02-29 00:00:00", "2024-02-29"),
        ("datetime", "2024-02-29 12:00:00", "2024-02-29T12:00:00Z"),
        ("datetime", "2024-02-29T12:00:00+05:30", "2024-02-29T06:30:00Z"),
        ("datetime", datetime.fromisoformat("2024-01-01T00:00:00.000005"), "2024-01-01T00:00:00.000005Z"),
        ("datetime", datetime(2024, 1, 1, tzinfo=EAST), "2023-12-31T18:30:00Z"),
        ("datetime", 0, "1970-01-01T00:00:00Z"), ("datetime", -1.5, "1969-12-31T23:59:58.500000Z"),
        ("json", '{"a": [1, null, 2.5, true]}', {"a": [1, None, 2.5, True]}), ("json", "5", 5), ("json", [1], [1]),
        *((kind, None, None) for kind in COLUMN_TYPES),
    ],
)  # fmt: skip
def test_a_raw_value_is_stored_as(kind: str, raw: Any, stored: Any) -> None:
    found = coerce(kind, raw)
    assert (found, type(found)) == (stored, type(stored))
    assert coerce(kind, found) == stored or kind == "json", "what is stored is its own raw value"


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("int", "abc"), ("int", 1.5), ("int", 2**63), ("int", b"5"), ("int", ""), ("int", float("inf")),
        ("float", float("nan")), ("float", "inf"), ("float", b"1"), ("float", ""),
        ("decimal", "NaN"), ("decimal", "1,5"), ("decimal", b"1"), ("bool", 2), ("bool", "maybe"), ("bool", b"1"),
        ("str", b"x"), ("str", "half \ud800"), ("bytes", 5), ("date", "2023-02-29"), ("date", "2024-01-01 10:00"),
        ("datetime", "yesterday"), ("datetime", True), ("datetime", 1e30), ("json", "{"), ("json", '{"a": 1e999}'),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused(kind: str, raw: Any) -> None:
    with pytest.raises(ValueTypeError, match=" is not "):
        coerce(kind, raw)


def test_a_long_value_is_shown_cut() -> None:
    with pytest.raises(ValueTypeError) as caught:
        coerce("int", "x" * 1_000_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("decimal", Decimal("1.50")), ("date", date(2024, 2, 29)), ("int", 5), ("str", "x"), ("json", {"a": [1]}),
        ("datetime", datetime(2024, 2, 29, 12, 30, 0, 7, tzinfo=UTC)), ("datetime", None),
    ],
)  # fmt: skip
def test_a_handler_gets_what_it_gave(kind: str, value: Any) -> None:
    found = to_python(kind, from_python(value))
    assert (found, type(found)) == (value, type(value))


class Colour(enum.StrEnum):
    RED = "red"


class Size(enum.IntEnum):
    LARGE = 3


def test_subclasses_of_plain_types_are_stored_plain() -> None:
    found = from_python({"colour": Colour.RED, 5: (Size.LARGE, True)})
    assert found == {"colour": "red", "5": [3, True]}
    assert [type(value) for value in (found["colour"], *found["5"])] == [str, int, bool]


@pytest.mark.parametrize(
    "value", [2**63, float("inf"), Decimal("NaN"), Decimal("1e9999"), {1, 2}, object(), [object()], "half \ud800"]
)
def test_what_can_not_be_stored_is_refused(value: Any) -> None:
    with pytest.raises(ValueTypeError, match=" is not "):
        from_python(value)


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda value: abs(value.adjusted()) < 6000))
def test_a_decimal_is_stored_alike_from_a_database_and_from_a_handler(value: Decimal) -> None:
    assert from_python(value) == coerce("decimal", value) == coerce("decimal", str(value))
    assert Decimal(from_python(value)) == value
