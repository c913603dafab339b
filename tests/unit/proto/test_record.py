"""Stored records: what goes in comes out, in few bytes, and older records stay readable."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.record import (
    BuildRecord,
    DocumentRecord,
    Record,
    Schema,
    SignalReading,
    decode_build,
    decode_document,
    decode_last_build,
    decode_record,
    encode,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
TIMESTAMPS = st.integers(0, 2**63 - 1)


@given(
    values=st.none() | st.lists(VALUES),
    source=st.tuples(st.integers(0), st.integers(0)).filter(lambda pair: max(pair) < 2**63),
    since=st.none() | st.dictionaries(st.integers(0, 200), TIMESTAMPS),
    base=TIMESTAMPS,
    texts=st.tuples(st.text(), st.text()),
)
def test_a_record_comes_back(
    values: list[Any] | None, source: tuple[int, int], since: dict[int, int] | None, base: int, texts: tuple[str, str]
) -> None:
    record = Record(5, values, source, base, since, *texts)
    assert decode_record(encode(record)) == record


@given(values=st.none() | st.lists(VALUES), servable=st.booleans(), missing=st.none() | st.lists(st.text()))
def test_a_document_comes_back_and_equal_documents_are_equal_bytes(
    values: list[Any] | None, servable: bool, missing: list[str] | None
) -> None:
    record = DocumentRecord(5, values, servable, missing)
    decoded = decode_document(encode(record))
    assert decoded == record
    assert encode(decoded) == encode(record)
    if values is not None:  # builders make tuples
        assert encode(DocumentRecord(5, tuple(values), servable, missing)) == encode(record)


def test_a_build_comes_back() -> None:
    record = BuildRecord(2**62, 2**63 - 1, 2**64 - 1, [("campaigns", b"\0\xff")])
    assert decode_build(encode(record)) == record


def test_the_next_build_reads_the_same_of_it() -> None:
    readings = (SignalReading("ctr", 7, "fresh", 3, 5.0, (0.5, None), 11), SignalReading("hue", None, "absent"))
    for record in (
        BuildRecord(2**62, 3, 2**64 - 1, [("campaigns", b"\0\xff")], 5, readings, "signal_stale ctr", (("ctr", 3),)),
        BuildRecord(7, 9),
    ):
        for encoded in (encode(record), msgspec.msgpack.encode([record.built_at, record.generation])):
            known, last = decode_build(encoded), decode_last_build(encoded)
            plain = (last.built_at, last.generation, last.content_hash, last.reads, last.lineage_hash)
            assert encode(BuildRecord(*plain, last.read_signals(), last.blocked, last.read_used())) == encode(known)


def test_records_of_an_older_format_lack_what_came_later() -> None:
    """Fields are added at the end, with a default."""
    encoded = msgspec.msgpack.encode
    assert decode_record(encoded([5, ["a", 1]])) == Record(5, ["a", 1])
    assert decode_document(encoded([5, None])) == DocumentRecord(5, None)
    assert decode_build(encoded([7, 9])) == BuildRecord(7, 9)


@pytest.mark.parametrize("damaged", [b"", b"\xc1", msgspec.msgpack.encode([5]), msgspec.msgpack.encode(["x", []])])
def test_damage_is_an_error(damaged: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_record(damaged)


def test_the_id_of_a_schema_is_a_hash_of_its_names_in_order() -> None:
    """A change of this number would make every stored record unreadable."""
    assert Schema(("id", "title")).id == Schema(("id", "title")).id == 1291656190
    names = [("id", "title"), ("title", "id"), ("id",), ("idtitle",), ("id", "", "title"), ()]
    assert len({Schema(one).id for one in names}) == len(names)
    assert all(0 <= Schema(one).id < 2**31 for one in names)


def test_names_cost_nothing_in_a_record() -> None:
    assert len(encode(DocumentRecord(Schema(tuple(f"field_{number}" for number in range(100))).id, [None] * 100))) < 120
