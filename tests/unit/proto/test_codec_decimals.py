"""Encoded decimals sort as numbers do, whatever their length, and come back whole."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import decode_key, encode_key, encode_scalar
from proto.errors import InvalidMessageError

_DECIMALS = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=45),
    st.integers(-50, 50),
)


@given(_DECIMALS, _DECIMALS)
def test_order_is_kept_and_equal_numbers_are_one_key(one: Decimal, other: Decimal) -> None:
    first, second = encode_scalar(one), encode_scalar(other)
    assert (one < other, one == other) == (first < second, first == second)


@given(_DECIMALS)
def test_no_digit_is_lost(value: Decimal) -> None:
    with localcontext() as context:
        context.prec = 5  # the caller's context has no say
        assert decode_key(encode_key((value,))) == (value,)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e40000"), Decimal("1e-40000")])
def test_what_has_no_encoding_is_refused(value: Decimal) -> None:
    with pytest.raises(InvalidMessageError):
        encode_scalar(value)
