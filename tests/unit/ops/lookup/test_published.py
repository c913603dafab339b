"""Messages of the documents topic, found by what they hold, though sequences are only nearly in order."""

from random import Random

import pytest

from ops.brokers.memory import MemoryLog
from ops.lookup.causes import changed_rows, first_at
from ops.lookup.published import find, newest
from proto.events import DOCUMENTS, NOTIFICATIONS, DeltaDocument, Notification, RowChange, encode, lane_topic
from proto.lane import Lane

MS = 1_000_000
KEYS = [b"\x03main\x00one", b"\x03main\x00two", b"\x03main\x00three"]


def published(log: MemoryLog, key: bytes, sequence: int, publish_ms: float) -> None:
    log.append(DOCUMENTS, 0, [encode(DeltaDocument("document", "ad", key, sequence, b"c", publish_ms=publish_ms))])


@pytest.mark.parametrize("seed", range(5))
def test_every_version_is_found_between_others_heartbeats_and_schemas(seed: int) -> None:
    """A document that changed again goes out once, as it is then: its sequence is ahead of those behind it."""
    random, log = Random(seed), MemoryLog()
    versions = []
    for number in range(1, 400):
        sequence, key = 1000 * MS + number * 7 * MS, random.choice(KEYS)
        publish_ms = sequence / MS + random.randrange(3)
        versions.append((publish_ms, key, sequence))
    for publish_ms, key, sequence in sorted(versions):
        if random.random() < 0.3:
            log.append(DOCUMENTS, 0, [encode(DeltaDocument("schema", content=b"s"))])
        if random.random() < 0.3:
            log.append(DOCUMENTS, 0, [encode(DeltaDocument("heartbeat", watermark=1, publish_ms=publish_ms))])
        published(log, key, sequence, publish_ms)
    for _, key, sequence in versions:
        found = find(log, "ad", key, sequence)
        assert found is not None and (found.delta.key, found.delta.sequence) == (key, sequence)
    assert find(log, "ad", KEYS[0], versions[0][2] + 1) is None
    assert find(log, "other", versions[0][1], versions[0][2]) is None
    assert [one.delta.sequence for one in newest(log, 3)] == [one[2] for one in sorted(versions)[:-4:-1]]


def test_an_empty_topic_has_nothing() -> None:
    assert find(MemoryLog(), "ad", KEYS[0], 5) is None and newest(MemoryLog(), 5) == []


def test_rows_of_one_commit_are_found_in_all_lanes_and_messages() -> None:
    log = MemoryLog()
    for change in (10, 20, 20, 30):
        for lane in (Lane.HIGH, Lane.MEDIUM):
            message = Notification(lane, [RowChange("ads", bytes([change, lane]))])
            log.append(lane_topic(NOTIFICATIONS, lane), 0, [change.to_bytes(8, "big") + encode(message)])
    assert [row.key for row in changed_rows(log, 20)] == [b"\x14\x00", b"\x14\x00", b"\x14\x01", b"\x14\x01"]
    assert changed_rows(log, 25) == [] == changed_rows(log, 0)
    assert first_at(log, lane_topic(NOTIFICATIONS, Lane.HIGH), 0, 25) == 3
