"""Whatever a database holds in a column of another type, the answer is a ValueTypeError that names value and type."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import ValueTypeError
from proto.values import COLUMN_TYPES, coerce

_RAW = st.one_of(
    st.integers(), st.floats(), st.text(), st.binary(), st.booleans(), st.decimals(), st.dates(), st.datetimes(),
    st.sampled_from(["[" * 10_000, "1e999999999", "-1e-999999999", "9" * 5000, 1e300, datetime(1, 1, 1, tzinfo=UTC)]),
    st.lists(st.none() | st.integers()),
)  # fmt: skip


@given(st.sampled_from(COLUMN_TYPES), _RAW)
def test_a_value_fits_or_is_refused_with_a_reason(kind: str, raw: Any) -> None:
    try:
        coerce(kind, raw)
    except ValueTypeError as error:
        assert " is not " in str(error) and len(str(error)) < 300


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("date", 5), ("json", "[" * 100_000), ("decimal", "1e999999999"), ("decimal", Decimal("-1e9999"))],
)
def test_values_that_would_harm_are_refused(kind: str, raw: Any) -> None:
    with pytest.raises(ValueTypeError):
        coerce(kind, raw)
