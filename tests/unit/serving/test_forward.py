"""The forward index: sequence rule, tombstones, schemas, watermark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import CorruptionError
from proto.events import DeltaDocument
from proto.record import DocumentRecord, Schema, encode
from serving.forward import ForwardIndex

SCHEMA = Schema(("id", "title"))
SCHEMA_MESSAGE = DeltaDocument("schema", content=encode(SCHEMA))


def document(key: bytes, sequence: int, title: str | None = "a", servable: bool = True) -> DeltaDocument:
    """Without a title: a tombstone."""
    values = None if title is None else [1, title]
    return DeltaDocument("document", "ad", key, sequence, encode(DocumentRecord(SCHEMA.id, values, servable, ["x"])))


def index_of(*deltas: DeltaDocument) -> ForwardIndex:
    index = ForwardIndex()
    index.apply([SCHEMA_MESSAGE, *deltas])
    return index


def test_a_document_is_decoded_with_the_names_of_its_schema() -> None:
    served = index_of(document(b"k", 7, "Größe 🎈")).get("ad", b"k")
    assert served is not None
    assert served.fields == {"id": 1, "title": "Größe 🎈"}
    assert (served.type, served.key, served.sequence, served.servable) == ("ad", b"k", 7, True)
    assert served.missing == ("x",)


def test_the_highest_sequence_wins_whatever_the_order_and_the_others_are_counted() -> None:
    index = index_of(document(b"k", 2, "two"), document(b"k", 1, "one"), document(b"k", 2, "again"))
    served = index.get("ad", b"k")
    assert served is not None
    assert served.fields["title"] == "two"
    assert (index.counters.applied, index.counters.lower, index.counters.duplicates) == (1, 1, 1)


def test_a_late_message_does_not_bring_a_deleted_document_back() -> None:
    index = index_of(document(b"k", 5), document(b"k", 9, None), document(b"k", 8, "late"))
    assert index.get("ad", b"k") is None
    assert index.sequence("ad", b"k") == 9
    assert list(index.keys("ad")) == []


def test_a_document_inserted_again_is_there() -> None:
    index = index_of(document(b"k", 9, None), document(b"k", 10, "new"))
    assert list(index.keys("ad")) == [b"k"]


def test_get_servable_leaves_out_what_must_not_be_served() -> None:
    index = index_of(document(b"on", 1), document(b"off", 2, servable=False))
    assert index.get_servable("ad", b"on") is not None
    assert index.get_servable("ad", b"off") is None
    assert index.get("ad", b"off") is not None


def test_types_do_not_share_keys() -> None:
    index = index_of(document(b"k", 1))
    assert index.get("campaign", b"k") is None
    assert index.sequence("campaign", b"k") == 0


def test_an_unknown_schema_is_an_error_that_says_what_to_do() -> None:
    index = ForwardIndex()
    index.apply([document(b"k", 1)])
    with pytest.raises(CorruptionError, match="start the reader with the schemas of its base"):
        index.get("ad", b"k")


def test_forgotten_are_tombstones_below_the_bound_and_nothing_else() -> None:
    index = index_of(document(b"old", 1, None), document(b"new", 9, None), document(b"alive", 1))
    assert index.forget_tombstones(before=5) == 1
    assert [index.sequence("ad", key) for key in (b"old", b"new", b"alive")] == [0, 9, 1]


def test_the_watermark_is_the_least_of_all_partitions_and_never_goes_back() -> None:
    index = ForwardIndex()
    index.apply([DeltaDocument("heartbeat", watermark=50)], partition=0)
    assert index.watermark(partitions=1) == 50
    assert index.watermark(partitions=2) == 0
    index.apply([DeltaDocument("heartbeat", watermark=40)], partition=1)
    assert index.watermark(partitions=2) == 40
    index.apply([DeltaDocument("heartbeat", watermark=30)], partition=1)
    assert index.watermark(partitions=2) == 40


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.integers(1, 9), st.booleans()), max_size=20), st.randoms())
def test_any_order_and_any_repetition_give_the_same_index(
    published: list[tuple[bytes, int, bool]], random: object
) -> None:
    deltas = [document(key, sequence, None if dead else str(sequence)) for key, sequence, dead in published]
    contents = {(delta.key, delta.sequence): delta for delta in deltas}  # one content a version, as a publisher has it
    deltas = [contents[delta.key, delta.sequence] for delta in deltas]
    shuffled = [*deltas, *deltas[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = index_of(*deltas), index_of(*shuffled)
    for key in (b"a", b"b"):
        assert one.get("ad", key) == other.get("ad", key)
        assert one.sequence("ad", key) == max([s for k, s, _ in published if k == key], default=0)
