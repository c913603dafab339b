"""Encoded keys sort as their tuples do, and none is a prefix of another."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import KEY_BYTES_MAX, Scalar, decode_key, descending, encode_key, encode_scalar, successor
from proto.errors import InvalidMessageError

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False)
SCALARS: st.SearchStrategy[Scalar] = st.one_of(
    st.none(), st.binary(max_size=20), st.text(max_size=20), INT64, FLOATS, st.booleans()
)
KEYS = st.lists(SCALARS, max_size=4).map(tuple)
_RANK = {type(None): 1, bytes: 2, str: 3, int: 4, float: 5, bool: 7}


def order_of(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sorts as encoded keys should: by type, then by value; text by its code points, a shorter tuple first."""
    return tuple((_RANK[type(value)], 0 if value is None else value) for value in key)


@given(KEYS, KEYS)
def test_keys_sort_as_tuples_do(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert (encode_key(one) < encode_key(other)) == (order_of(one) < order_of(other))


@given(KEYS, KEYS)
def test_no_key_is_a_prefix_of_another(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert encode_key(one) == encode_key(other) or not encode_key(one).startswith(encode_key(other))


@given(KEYS)
def test_a_key_comes_back_with_its_types(key: tuple[Any, ...]) -> None:
    decoded = decode_key(encode_key(key))
    assert decoded == key
    assert [type(value) for value in decoded] == [type(value) for value in key]


@given(SCALARS, SCALARS, st.binary(max_size=3))
def test_descending_turns_the_order_round_whatever_follows(one: Scalar, other: Scalar, rest: bytes) -> None:
    first, second = encode_scalar(one), encode_scalar(other)
    if first != second:
        assert (descending(first) + rest < descending(second)) == (first > second)


@given(st.binary(max_size=6), st.binary(max_size=6))
def test_the_successor_is_above_all_that_begins_with_the_prefix(prefix: bytes, other: bytes) -> None:
    bound = successor(prefix)
    if bound is None:
        assert prefix.strip(b"\xff") == b""
    else:
        assert prefix + other < bound
        assert other < prefix or other.startswith(prefix) or other >= bound


def test_both_zeros_are_one_key() -> None:
    assert encode_key((0.0,)) == encode_key((-0.0,))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, float("nan"), "half \ud800", object(), [1], 1j])
def test_what_has_no_encoding_is_refused(value: Any) -> None:
    with pytest.raises(InvalidMessageError):
        encode_key((value,))


def test_a_key_may_be_so_long_and_no_longer() -> None:
    assert len(encode_key(("x" * (KEY_BYTES_MAX - 3),))) == KEY_BYTES_MAX
    with pytest.raises(InvalidMessageError, match=f"at most {KEY_BYTES_MAX}"):
        encode_key(("x" * (KEY_BYTES_MAX - 2),))


def test_the_bytes_stay_what_they_are() -> None:
    """A change here makes every stored key unreadable."""
    assert encode_key(("ads", 7, None, True)).hex() == "036164730004800000000000000701" + "08" + "00"
