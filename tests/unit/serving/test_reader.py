"""The reader: tailing, gaps, demanded versions, staleness, the hook for latencies."""

from typing import Any

import pytest

from proto.errors import CorruptionError, TooOldError, TooStaleError
from proto.events import DOCUMENTS, DeltaDocument
from serving.reader import DocumentReader


def test_poll_takes_what_is_there_in_steps(topic: Any, clock: Any) -> None:
    reader = DocumentReader(topic.log, clock)
    assert reader.poll() == 0
    topic.publish(topic.schema(), topic.document(b"a", 1), topic.document(b"b", 2))
    assert [reader.poll(2), reader.poll(2), reader.poll(2)] == [2, 1, 0]
    assert sorted(reader.index.keys("ad")) == [b"a", b"b"]


def test_all_partitions_are_read_and_none_starves(topic: Any, clock: Any) -> None:
    for partition in range(3):
        topic.publish(*[topic.document(b"%d" % partition, n) for n in range(1, 5)], partition=partition)
    reader = DocumentReader(topic.log, clock)
    for _ in range(3):
        reader.poll(1)
    assert sorted(reader.index.keys("ad")) == [b"0", b"1", b"2"]


def test_a_base_and_the_topic_are_merged_by_sequence(topic: Any, clock: Any) -> None:
    topic.publish(topic.document(b"a", 1, "from the topic"), topic.document(b"b", 9, "from the topic"))
    base = [topic.schema(), topic.document(b"a", 5, "from the base"), topic.document(b"b", 5, "from the base")]
    reader = DocumentReader(topic.log, clock, base)
    reader.poll()
    titles = [served.fields["title"] for key in (b"a", b"b") if (served := reader.get("ad", key))]
    assert titles == ["from the base", "from the topic"]


def test_start_offsets_skip_what_the_base_holds(topic: Any, clock: Any) -> None:
    topic.publish(topic.document(b"a", 1), topic.document(b"b", 2))
    reader = DocumentReader(topic.log, clock, [topic.schema()], start_offsets={0: 1})
    assert reader.poll() == 1
    assert list(reader.index.keys("ad")) == [b"b"]
    assert reader.offsets() == {0: 2}


def test_a_gap_left_by_retention_is_an_error_not_a_missing_document(topic: Any, clock: Any) -> None:
    topic.publish(*[topic.document(b"%d" % n, n) for n in range(1, 6)])
    topic.log.trim(DOCUMENTS, 0, before=3)
    with pytest.raises(TooOldError, match="holds messages from 3 on, this reader stands at 0"):
        DocumentReader(topic.log, clock).poll()
    assert DocumentReader(topic.log, clock, start_offsets={0: 3}).poll() == 2


def test_a_place_behind_the_end_of_a_topic_that_was_made_again_is_an_error_not_silence(topic: Any, clock: Any) -> None:
    topic.publish(topic.document(b"a", 1), topic.document(b"b", 2))
    assert DocumentReader(topic.log, clock, start_offsets={0: 2}).poll() == 0
    with pytest.raises(TooOldError, match="documents/0 ends at 2, this reader stands at 3: the index was rebuilt"):
        DocumentReader(topic.log, clock, start_offsets={0: 3}).poll()


def test_bytes_that_are_no_message_stop_the_reader_where_they_stand(topic: Any, clock: Any) -> None:
    topic.log.append(DOCUMENTS, 0, [b"\xc1"])
    reader = DocumentReader(topic.log, clock)
    with pytest.raises(CorruptionError, match="documents/0@0"):
        reader.poll()
    assert reader.offsets() == {}


def test_a_demanded_version_is_met_by_the_watermark(topic: Any, clock: Any) -> None:
    topic.publish(topic.schema(), topic.document(b"a", 10), topic.heartbeat(10))
    reader = DocumentReader(topic.log, clock)
    served = reader.get("ad", b"a", min_version=10)
    assert served is not None
    assert served.sequence == 10


def test_a_documents_own_sequence_does_not_meet_a_demand(topic: Any, clock: Any) -> None:
    """Built at 4, committed at 10: a change at 5 is not in it."""
    topic.publish(topic.schema(), topic.document(b"a", 10), topic.heartbeat(4))
    with pytest.raises(TooStaleError, match="version 5 was demanded, everything up to 4 is servable"):
        DocumentReader(topic.log, clock).get("ad", b"a", min_version=5, wait=clock.waiting())


def test_waiting_ends_as_soon_as_the_version_is_there(topic: Any, clock: Any) -> None:
    reader = DocumentReader(topic.log, clock)
    waits = []

    def wait(timeout_ms: float) -> None:
        waits.append(timeout_ms)
        clock.ms += 1
        topic.publish(topic.heartbeat(len(waits)))

    reader.wait_for(3, timeout_ms=100, wait=wait)
    assert waits == [100, 99, 98]


def test_a_wait_that_brings_nothing_ends_at_the_time_out(topic: Any, clock: Any) -> None:
    topic.publish(topic.heartbeat(1))
    with pytest.raises(TooStaleError, match="waited 250 ms"):
        DocumentReader(topic.log, clock).get_servable("ad", b"a", min_version=2, timeout_ms=250, wait=clock.waiting())
    assert clock.ms == 1250


def test_without_a_demand_a_read_costs_no_look_at_the_log(topic: Any, clock: Any) -> None:
    reader = DocumentReader(topic.log, clock, [topic.schema(), topic.document(b"a", 1)])
    topic.publish(topic.document(b"a", 2, "later"))
    served = reader.get("ad", b"a")
    assert served is not None
    assert served.sequence == 1


def test_staleness_is_the_age_of_the_oldest_pending_change(topic: Any, clock: Any) -> None:
    reader = DocumentReader(topic.log, clock)
    assert reader.staleness_ms() == 0.0
    topic.publish(topic.document(b"a", 1, commit_ms=900.0), topic.document(b"b", 2, commit_ms=990.0))
    assert reader.staleness_ms() == 100.0
    reader.poll()
    assert reader.staleness_ms() == 0.0


def test_what_a_heartbeat_calls_pending_counts_until_the_next_one(topic: Any, clock: Any) -> None:
    reader = DocumentReader(topic.log, clock)
    topic.publish(topic.heartbeat(5, pending_since_ms=400.0))
    reader.poll()
    assert reader.staleness_ms() == 600.0
    topic.publish(topic.heartbeat(6))
    reader.poll()
    assert reader.staleness_ms() == 0.0


def test_the_hook_gets_each_document_with_the_time_at_which_it_was_servable(topic: Any, clock: Any) -> None:
    seen: list[tuple[bytes, float]] = []

    def hook(delta: DeltaDocument, servable_ms: float) -> None:
        assert reader.index.sequence("ad", delta.key) == delta.sequence
        seen.append((delta.key, servable_ms))

    reader = DocumentReader(topic.log, clock, on_document=hook)
    topic.publish(topic.schema(), topic.document(b"a", 1), topic.heartbeat(1), topic.document(b"b", 2))
    reader.poll()
    assert seen == [(b"a", 1000.0), (b"b", 1000.0)]
