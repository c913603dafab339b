"""Addresses: typed text to keys and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.addresses import any_address, document_address, encoded_id, row_address, shown_address, shown_id
from proto.codec import encode_key
from proto.errors import SettingsError
from proto.flows.loader import loads
from proto.flows.model import Flows

FLOWS = loads("""
[tables.orders]
source = "orders"
key = ["shop", "number"]
columns = { shop = "str", number = "int" }
[tables.blobs]
source = "blobs"
key = "id"
columns = { id = "bytes" }
[tables.order]
source = "order"
key = "code"
columns = { code = "str" }
[documents.order]
root = "order"
fields = { code = "code" }
""")
ONE = ["main"]


def key_of(text: str, sources: Any = ONE, flows: Flows = FLOWS) -> bytes:
    return row_address(flows, sources, text).key


def test_ids_take_the_types_of_their_key_columns() -> None:
    assert key_of("order/007") == encode_key(("main", "007"))
    assert key_of("orders/eu,7") == encode_key(("main", "eu", 7))
    assert key_of('orders/["a,b",7]') == encode_key(("main", "a,b", 7))
    assert key_of("blobs/AAE=") == encode_key(("main", b"\0\1"))


def test_a_colon_belongs_to_the_id_unless_a_source_stands_before_it() -> None:
    assert key_of("order/a:b") == encode_key(("main", "a:b"))
    assert key_of("order/main:b") == encode_key(("main", "b"))
    assert key_of("order/east:b", ["east", "west"]) == encode_key(("east", "b"))


def test_a_slash_may_be_part_of_an_id() -> None:
    assert key_of("order/a/b") == encode_key(("main", "a/b"))
    assert document_address(FLOWS, ONE, "a/b").key == encode_key(("main", "a/b"))  # there is only one type


def test_a_name_that_is_a_type_and_a_table_means_the_document() -> None:
    assert any_address(FLOWS, ONE, "order/a").document == "order"
    assert any_address(FLOWS, ONE, "orders/eu,7").table == "orders"


def test_without_any_source_nothing_can_be_addressed() -> None:
    with pytest.raises(SettingsError, match="no source is attached yet"):
        key_of("order/a", [])


@given(st.text(min_size=1, max_size=20), st.integers(-(2**63), 2**63 - 1), st.booleans())
def test_what_is_shown_can_be_typed_again(shop: str, number: int, several: bool) -> None:
    sources = ["east", "main"] if several else ONE
    key = encode_key(("main", shop, number))
    shown = shown_address("orders", key, sources)
    assert row_address(FLOWS, sources, shown).key == key


@given(st.binary(max_size=20))
def test_bytes_can_be_typed_as_they_are_shown(raw: bytes) -> None:
    key = encode_key(("main", raw))
    assert encoded_id(FLOWS.tables["blobs"], ONE, str(shown_id(key))) == key
