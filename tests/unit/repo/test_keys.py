"""Entries of an index: by parent, then by order value, then by child; never longer than LMDB's keys."""

from hypothesis import given
from hypothesis import strategies as st

from proto.codec import encode_key, encode_scalar
from repo.keys import index_entry, index_prefix

LMDB_KEY_BYTES_MAX = 511 - 2  # the table's number comes first
TEXT = st.text(max_size=60)
KEYS = st.builds(lambda text, number: encode_key(("shop", text, number)), TEXT, st.integers(0, 5))
ORDERS = st.one_of(st.none(), st.integers(-9, 9), TEXT).map(encode_scalar)


@given(st.tuples(KEYS, ORDERS, KEYS), st.tuples(KEYS, ORDERS, KEYS))
def test_entries_of_short_keys_sort_by_parent_order_child(
    one: tuple[bytes, bytes, bytes], other: tuple[bytes, bytes, bytes]
) -> None:
    first, second = (index_entry(parent, child, order) for parent, order, child in (one, other))
    if all(map(is_short, (*one, *other))):
        assert (first < second) == (one < other)
    assert (first == second) == (one == other)


@given(KEYS, KEYS, KEYS, ORDERS)
def test_a_prefix_finds_its_parents_entries_and_no_others(
    parent: bytes, other: bytes, child: bytes, order: bytes
) -> None:
    entry = index_entry(parent, child, order)
    assert entry.startswith(index_prefix(parent))
    assert entry.startswith(index_prefix(other)) == (other == parent)


def test_the_longest_keys_fit() -> None:
    longest = encode_key(("x" * 397,))
    other = encode_key(("x" * 396 + "y",))
    entry = index_entry(longest, longest, encode_scalar("o" * 1000))
    assert len(longest) == 400
    assert len(entry) <= LMDB_KEY_BYTES_MAX
    assert len({entry, index_entry(longest, other), index_entry(other, longest), index_entry(other, other)}) == 4
    assert not index_entry(other, longest).startswith(index_prefix(longest))


def test_long_order_values_sort_by_their_beginning_then_by_child() -> None:
    parent, children = encode_key(("p",)), [encode_key((number,)) for number in range(3)]
    long = ["a" * 200 + "z", "a" * 200 + "b", "b" * 200]
    entries = [index_entry(parent, child, encode_scalar(order)) for child, order in zip(children, long, strict=True)]
    assert entries == sorted(entries)


def is_short(key: bytes) -> bool:
    return len(key) <= 120
