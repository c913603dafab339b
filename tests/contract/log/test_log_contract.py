"""What every log promises (proto/ports/log.py)."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proto.errors import UnavailableError
from proto.ports.log import Log, Message

TOPICS = count()


def values(log: Log, topic: str, partition: int = 0, offset: int = 0, limit: int = 100) -> list[bytes]:
    return [message.value for message in log.read(topic, partition, offset, limit)]


def test_append_returns_dense_offsets_for_each_partition(log: Log) -> None:
    assert log.append("t", 0, [b"a", b"b"]) == 0
    assert log.append("t", 1, [b"x"]) == 0
    assert log.append("t", 0, [b"c"]) == 2
    assert log.append("t", 0, []) == 3
    assert log.read("t", 0, 0, 10) == [Message(0, b"a"), Message(1, b"b"), Message(2, b"c")]
    assert log.read("t", 1, 0, 10) == [Message(0, b"x")]
    assert log.bounds("t", 0) == (0, 3)


def test_a_topic_never_written_is_empty(log: Log) -> None:
    assert log.bounds("t", 0) == (0, 0)
    assert log.read("t", 0, 0, 10) == []
    assert log.partitions("t") == 0
    assert log.position("c", "t", 0) == 0
    assert log.trim("t", 0, 10) == 0


def test_read_is_bounded_by_messages_and_bytes_but_gives_at_least_one(log: Log) -> None:
    log.append("t", 0, [b"x" * 100] * 10)
    assert len(log.read("t", 0, 0, 3)) == 3
    assert len(log.read("t", 0, 0, 10, bytes_max=250)) == 2
    assert len(log.read("t", 0, 0, 10, bytes_max=1)) == 1
    assert log.read("t", 0, 10, 3) == []
    assert log.read("t", 0, 0, 0) == []


def test_topics_and_partitions_that_lie_side_by_side_do_not_mix(log: Log) -> None:
    for topic in ("a", "b", "a.b"):
        for partition in (0, 1, 2):
            log.append(topic, partition, [f"{topic}{partition}".encode()])
    for topic in ("a", "b", "a.b"):
        for partition in (0, 1, 2):
            assert values(log, topic, partition) == [f"{topic}{partition}".encode()]
    assert log.partitions("a") == 3


def test_partition_of_is_stable_and_never_shared(log: Log) -> None:
    first, second = log.partition_of("t", "ads"), log.partition_of("t", "shop")
    assert first != second
    assert log.partition_of("t", "ads") == first
    assert log.partition_of("other", "shop") == 0
    assert log.partitions("t") == 2
    log.append("t", 5, [b"x"])
    assert log.partition_of("t", "third") == 6


def test_positions_belong_to_consumers_and_never_go_back(log: Log) -> None:
    log.append("t", 0, [b"a", b"b", b"c"])
    log.save_positions({("c", "t", 0): 2})
    log.save_positions({("c", "t", 0): 1})
    assert log.position("c", "t", 0) == 2
    assert log.position("d", "t", 0) == 0
    assert log.position("c", "t", 1) == 0


def test_trim_goes_in_slices_and_offsets_go_on(log: Log) -> None:
    log.append("t", 0, [b"%d" % number for number in range(10)])
    log.append("t", 1, [b"other"])
    assert log.trim("t", 0, 7, limit=4) == 4
    assert log.trim("t", 0, 7, limit=4) == 3
    assert log.trim("t", 0, 7, limit=4) == 0
    assert log.bounds("t", 0) == (7, 10)
    assert log.read("t", 0, 0, 1) == [Message(7, b"7")]
    assert log.position("new", "t", 0) == 7
    assert log.trim("t", 0, 99) == 3
    assert log.bounds("t", 0) == (10, 10)
    assert log.append("t", 0, [b"next"]) == 10
    assert values(log, "t", 1) == [b"other"]


def test_a_group_sees_its_own_writes_and_keeps_them_together(log: Log) -> None:
    with log.group():
        assert not log.writing()
        log.append("t", 0, [b"a"])
        assert log.writing()
        assert values(log, "t") == [b"a"]
        with log.group():
            log.append("t", 0, [b"b"])
            log.save_positions({("c", "t", 0): 1})
        assert log.bounds("t", 0) == (0, 2)
    assert not log.writing()
    assert values(log, "t") == [b"a", b"b"]
    assert log.position("c", "t", 0) == 1


def test_last_commit_changes_with_each_commit_and_only_then(log: Log) -> None:
    before = log.last_commit()
    log.append("t", 0, [b"a"])
    after = log.last_commit()
    assert after != before
    log.read("t", 0, 0, 1)
    with log.group():
        log.bounds("t", 0)
    assert log.last_commit() == after
    log.save_positions({("c", "t", 0): 1})
    assert log.last_commit() != after


def test_an_exception_undoes_the_whole_group(log: Log) -> None:
    log.append("t", 0, [b"kept", b"trimmed?"])
    log.save_positions({("c", "t", 0): 1})
    with pytest.raises(ZeroDivisionError), log.group():
        log.append("t", 0, [b"gone"])
        log.append("new", 3, [b"gone"])
        log.partition_of("t", "gone")
        log.save_positions({("c", "t", 0): 2})
        log.trim("t", 0, 2)
        raise ZeroDivisionError
    assert values(log, "t") == [b"kept", b"trimmed?"]
    assert log.partitions("new") == 0
    assert log.partitions("t") == 1
    assert log.position("c", "t", 0) == 1
    assert log.append("new", 0, [b"x"]) == 0
    assert log.append("other", 0, [b"y"]) == 0
    assert (values(log, "new"), values(log, "other")) == ([b"x"], [b"y"])


def test_an_exception_caught_inside_still_undoes_the_whole_group(log: Log) -> None:
    with pytest.raises(UnavailableError), log.group():
        log.append("t", 0, [b"gone"])
        with pytest.raises(ZeroDivisionError), log.group():
            raise ZeroDivisionError
    assert log.bounds("t", 0) == (0, 0)
    log.append("t", 0, [b"works again"])
    assert values(log, "t") == [b"works again"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_random_appends_reads_and_trims_agree_with_a_list(log: Log, data: st.DataObject) -> None:
    topic = f"topic {next(TOPICS)}"
    written: list[bytes] = []
    first = 0
    for _ in range(data.draw(st.integers(1, 8))):
        batch = data.draw(st.lists(st.binary(max_size=3000), max_size=5))
        assert log.append(topic, 0, batch) == len(written)
        written += batch
        before = data.draw(st.integers(0, len(written)))
        limit = data.draw(st.integers(1, 4))
        first += log.trim(topic, 0, before, limit)
        offset = data.draw(st.integers(0, len(written)))
        begin = max(first, offset)
        expected = [Message(at, written[at]) for at in range(begin, min(begin + limit, len(written)))]
        assert log.read(topic, 0, offset, limit, bytes_max=1 << 30) == expected
        assert log.bounds(topic, 0) == (first, len(written))
