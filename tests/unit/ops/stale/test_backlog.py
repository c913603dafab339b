"""How much of a backlog is stale."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ops.brokers.memory import MemoryLog
from ops.stale.backlog import droppable, stale_parts
from ops.topics import ARGUS, UPDATER
from proto.events import NOTIFICATIONS, UPDATES, Notification, RowChange, TableRows, Unit, encode, lane_topic
from proto.flows.loader import loads
from proto.lane import Lane

FLOWS = loads(
    """
[tables.ads]
source = "ads"
key = "id"
columns = { title = "str", id = "int" }

[documents.ad]
root = "ads"
fields = { title = "title" }
"""
)
HIGH = lane_topic(NOTIFICATIONS, Lane.HIGH)


def notification(ms: float, *keys: bytes) -> bytes:
    changes = [RowChange("ads", key) for key in keys]
    return int(ms * 1e6).to_bytes(8, "big") + encode(Notification(Lane.HIGH, changes))


def unit(ms: float, rows: Sequence[tuple[str, int]], deleted: Sequence[tuple[int]] = ()) -> bytes:
    table = TableRows("ads", ("title", "id"), list(rows), list(deleted))
    return encode(Unit("main", "stream", 1, 0, 1, Lane.HIGH, [table], capture_ms=ms))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(0, 51), st.integers(0, 40))
def test_the_first_fresh_message_is_found(ages: list[int], before: int, done: int) -> None:
    log = MemoryLog()
    times = sorted(ages)
    log.append(HIGH, 0, [notification(1000.0 + ms) for ms in times])
    log.save_positions({(ARGUS, HIGH, 0): min(done, len(times))})
    parts = stale_parts(log, (ARGUS,), Lane.HIGH, 1000.0 + before)
    waiting = times[done:]
    assert sum(part.stale for part in parts) == sum(ms < before for ms in waiting)
    assert sum(part.waiting for part in parts) == len(waiting)


def test_only_the_stages_and_the_lane_that_were_asked_for() -> None:
    log = MemoryLog()
    log.append(HIGH, 0, [notification(5.0)])
    log.append(lane_topic(UPDATES, Lane.HIGH), 0, [unit(6.0, [])])
    log.append(lane_topic(UPDATES, Lane.LOW), 0, [unit(7.0, [])])
    found = stale_parts(log, (UPDATER, ARGUS), Lane.HIGH, 10.0)
    assert [(part.stage, part.oldest_ms, part.newest_ms) for part in found] == [(UPDATER, 6.0, 6.0), (ARGUS, 5.0, 5.0)]
    assert [part.lane for part in stale_parts(log, (UPDATER,), Lane.LOW, 10.0)] == [Lane.LOW]


def test_rows_are_counted_once_however_often_they_changed() -> None:
    log = MemoryLog()
    log.append(HIGH, 0, [notification(1.0, b"a", b"b"), notification(2.0, b"b"), notification(9.0, b"c")])
    log.append(
        lane_topic(UPDATES, Lane.HIGH), 0,
        [unit(1.0, [("x", 1), ("y", 2)]), unit(2.0, [("z", 1)], [(3,)]), b"rubbish"],
    )  # fmt: skip
    (rows, changes) = stale_parts(log, (UPDATER, ARGUS), Lane.HIGH, 5.0)
    assert droppable(log, FLOWS, changes) == (2, {("ads", b"a"), ("ads", b"b")})
    assert droppable(log, FLOWS, rows) == (2, {("ads", (1,)), ("ads", (2,)), ("ads", (3,))})


def test_what_can_not_be_read_again_is_not_counted() -> None:
    log = MemoryLog()
    fed = Unit("main", "fed", 1, 0, 1, Lane.HIGH, [TableRows("ads", ("title", "id"), [("x", 1)])], capture_ms=1.0)
    log.append(lane_topic(UPDATES, Lane.HIGH), 0, [encode(fed), unit(2.0, [("z", 2)])])
    (part,) = stale_parts(log, (UPDATER,), Lane.HIGH, 5.0)
    assert part.stale == 2 and droppable(log, FLOWS, part) == (1, {("ads", (2,))})
