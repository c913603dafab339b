"""Publishing: order, sequence, schemas, heartbeats; what is said again when a group was undone."""

import pytest

from proto.errors import UnavailableError
from proto.events import DOCUMENTS, PUBLICATIONS, DeltaDocument, decode_delta, encode
from proto.lane import Lane
from proto.ports.processor import Item
from proto.record import decode_document
from tests.support.argus_world import ADS_FLOWS, World, gone, key_of, put
from tests.unit.argus.conftest import MakeWorld


def kinds(deltas: list[DeltaDocument]) -> list[str]:
    return [delta.kind for delta in deltas]


def topic(world: World) -> list[DeltaDocument]:
    return [decode_delta(message.value) for message in world.log.read(DOCUMENTS, 0, 0, 10_000)]


def test_a_schema_goes_before_its_first_document_only(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    assert kinds(world.publish()) == ["schema", "document"]
    world.edit(put("ads", id=1, title="b"), put("ads", id=2, title="b"))
    assert kinds(world.publish()) == ["document", "document"]


def test_documents_go_out_in_the_order_of_their_commits(world: World) -> None:
    for title in "abc":
        for number in (3, 1, 2):
            world.edit(put("ads", id=number, title=title))
        world.publish()
    documents = [delta for delta in topic(world) if delta.kind == "document"]
    sequences = [delta.sequence for delta in documents]
    assert sequences == sorted(sequences) and len(sequences) == 9
    assert [delta.key for delta in documents[:3]] == [key_of(3), key_of(1), key_of(2)]


def test_the_sequence_is_the_commit_timestamp_of_the_content(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    _, delta = world.publish()
    with world.repo.snapshot() as snapshot:
        (version,) = snapshot.read("document:ad", "content", [key_of(1)])
    assert version is not None and delta.sequence == version.commit_timestamp and delta.content == version.value


def test_a_document_that_changed_twice_goes_out_once_as_it_is_now(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    world.edit(put("ads", id=1, title="b"))
    (delta,) = [delta for delta in world.publish() if delta.kind == "document"]
    assert "b" in (decode_document(delta.content).values or ())
    assert world.publisher.published == 1


def test_a_tombstone_has_no_values(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    world.publish()
    world.edit(gone("ads", 1))
    (delta,) = world.publish()
    assert decode_document(delta.content).values is None


def test_types_have_their_own_schemas_and_share_the_order(make_world: MakeWorld) -> None:
    other = '\n[documents.group]\nroot = "groups"\n[documents.group.fields]\nstatus = "status"\n'
    world = make_world(ADS_FLOWS + other)
    world.edit(put("groups", id=1, status="ON"), put("ads", id=1, group_id=1))
    deltas = world.publish()
    assert sorted(kinds(deltas)) == ["document", "document", "schema", "schema"]
    sequences = [delta.sequence for delta in deltas if delta.kind == "document"]
    assert sequences == sorted(sequences)


def test_heartbeats_only_go_up(world: World) -> None:
    for watermark in (5, 5, 4, 9):
        world.publisher.heartbeat(watermark)
    assert [delta.watermark for delta in topic(world)] == [5, 9]


def test_a_heartbeat_says_since_when_a_change_waits(world: World) -> None:
    world.publisher.heartbeat(5, pending=7_000_000)
    world.publisher.heartbeat(9)
    assert [delta.commit_ms for delta in topic(world)] == [7.0, 0.0]


def test_what_an_undone_group_had_said_is_said_again(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    with pytest.raises(KeyboardInterrupt), world.log.group():
        world.publish()
        world.publisher.heartbeat(7)
        raise KeyboardInterrupt
    assert topic(world) == []
    publications = world.log.read(PUBLICATIONS, 0, 0, 100)
    world.publisher.process([Item(message.value, Lane.HIGH, 2, "test") for message in publications])
    world.publisher.heartbeat(7)
    assert kinds(topic(world)) == ["schema", "document", "heartbeat"]


def test_a_schema_that_was_trimmed_away_is_said_again(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    world.publish()
    world.log.trim(DOCUMENTS, 0, 1)
    world.edit(put("ads", id=1, title="b"))
    assert kinds(world.publish()) == ["document", "schema", "document"][1:]


def test_a_publisher_that_starts_again_announces_again(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    world.publish()
    other = world.again(live=True)
    other.edit(put("ads", id=1, title="b"))
    assert kinds(other.publish()) == ["schema", "document"]


def test_a_publication_of_a_document_that_is_not_there_is_passed_over(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    (message,) = world.log.read(PUBLICATIONS, 0, 0, 1)
    nowhere = message.value.replace(encode(key_of(1)), encode(key_of(2)))
    assert nowhere != message.value
    world.publisher.process([Item(nowhere, Lane.HIGH, 1, "test")])
    assert topic(world) == [] and world.publisher.published == 0


def test_it_waits_for_a_store_that_has_not_reached_the_change(world: World) -> None:
    """As a former oracle gives it: what was read there would be an older document, and never be said again (N1)."""
    world.edit(put("ads", id=1, title="a"))
    (message,) = world.log.read(PUBLICATIONS, 0, 0, 1)
    later = (world.repo.last_timestamp() + 1).to_bytes(8, "big") + message.value[8:]
    with pytest.raises(UnavailableError):
        world.publisher.process([Item(later, Lane.HIGH, 1, "test")])
    assert topic(world) == []


def test_a_schema_whose_append_failed_is_said_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when another publisher has appended something in its place meanwhile."""
    world.edit(put("ads", id=1, title="a"))
    messages = [Item(message.value, Lane.HIGH, 1, "test") for message in world.log.read(PUBLICATIONS, 0, 0, 10)]
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(world.log, "append", unavailable)
        world.publisher.process(messages)
    world.log.append(DOCUMENTS, 0, [encode(DeltaDocument("heartbeat"))] * 3)
    world.publisher.process(messages)
    assert kinds(topic(world))[3:] == ["schema", "document"]


def unavailable(*arguments: object) -> int:
    raise UnavailableError("no answer")
