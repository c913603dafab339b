"""Paused lanes, paused publishing: nothing is lost, nothing is reordered, over restarts too."""

import sqlite3
from random import Random
from typing import TYPE_CHECKING

from ops.engine.pauses import PUBLISHING, Pause, Pauses
from ops.engine.retention import SLICE, KeepRule, Retention
from ops.topics import CONSUMED
from ops.waiting import Goal, missing, newest_stands
from proto.events import DOCUMENTS
from serving.reader import DocumentReader
from tests.system.bookshop.edits import edit
from tests.system.test_random_edits import differences, never_back

if TYPE_CHECKING:
    from tests.support.whole import Whole

PUBLICATION = Pause(stage=PUBLISHING, who="ana", reason="bad prices", since_ms=1.0)


def turns(whole: "Whole", count: int = 20) -> None:
    for _ in range(count):
        whole.turn()
        whole.clock.ms += 50.0


def messages(whole: "Whole") -> int:
    return whole.data.log.bounds(DOCUMENTS, 0)[1]


def test_what_is_built_while_publishing_is_paused_is_published_whole_and_in_order(
    bookshop: "Whole", shop: sqlite3.Connection
) -> None:
    bookshop.settle()
    random, pauses = Random(3), Pauses(bookshop.folder)
    for number in range(4):
        pauses.pause(PUBLICATION)
        turns(bookshop, 5)
        before = messages(bookshop)
        for _ in range(15):
            edit(shop, random)
            turns(bookshop, random.randrange(4))
        if number % 2:
            bookshop.restart()
        turns(bookshop)
        assert messages(bookshop) == before, "published although paused"
        built = {(one, key): found for one in ("book", "order") for key, found in bookshop.documents(one).items()}
        pauses.resume(PUBLICATION)
        bookshop.settle()
        assert differences(bookshop, shop) == []
        assert built == {(one, key): found for one in ("book", "order") for key, found in bookshop.served(one).items()}
    assert never_back(bookshop)


def test_a_reader_knows_how_old_the_edit_is_that_waits_for_a_paused_lane(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    index.settle()
    lane = Pause(lane="high", stage="argus")
    Pauses(index.folder).pause(lane)
    turns(index)
    editor.execute("UPDATE players SET value = value + 1")
    began_ms = index.clock.ms
    turns(index)
    reader = DocumentReader(index.data.log, index.clock)
    while reader.poll():
        pass
    assert 0 < reader.staleness_ms() <= index.clock.ms - began_ms
    Pauses(index.folder).resume(lane)
    index.settle()
    while reader.poll():
        pass
    assert reader.staleness_ms() == 0.0


def test_nobody_is_told_that_all_is_servable_while_something_is_paused(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    pauses = Pauses(index.folder)
    for pause in (PUBLICATION, Pause(lane="high", stage="argus"), Pause(lane="high", stage="updater")):
        pauses.pause(pause)
        turns(index)
        editor.execute("UPDATE players SET value = value + 1")
        turns(index)
        why = missing(index.data, Goal(newest_stands(index.sources)))
        assert f"{pause.name} is paused" in why
        pauses.resume(pause)
        index.settle()


def test_retention_removes_nothing_that_a_paused_stage_has_not_processed(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    """With the rules of the process, on its log, as if thousands of messages waited."""
    log = index.data.log
    Pauses(index.folder).pause(Pause(lane="low"))
    Pauses(index.folder).pause(PUBLICATION)
    turns(index)
    ends = {}
    for consumed in CONSUMED:
        for _ in range(3):
            log.append(consumed.topic, 0, [b"x" * 20] * SLICE)
        ends[consumed.topic] = log.bounds(consumed.topic, 0)
    retention = Retention(log, [KeepRule(one.topic, (one.consumer,), 10) for one in CONSUMED])
    while retention.step():
        pass
    for consumed in CONSUMED:
        first, end = log.bounds(consumed.topic, 0)
        assert end == ends[consumed.topic][1]
        assert first <= log.position(consumed.consumer, consumed.topic, 0)
        assert end - first >= 3 * SLICE


def test_jobs_of_a_paused_lane_wait_with_it_and_wake_nobody(index: "Whole", editor: sqlite3.Connection) -> None:
    many = [("a", number, 1, f"s{number}", 1) for number in range(10, 700)]
    editor.executemany("INSERT INTO players VALUES (?, ?, ?, ?, ?)", many)
    index.settle()
    assert index.process.built is not None
    jobs = index.process.built.parts.jobs
    editor.execute("UPDATE teams SET name = 'Blues'")
    while not jobs.running():
        index.turn()
    Pauses(index.folder).pause(Pause(lane="high", stage="argus"))
    turns(index, 8)
    (job,) = jobs.running()
    done = job.done
    turns(index, 20)
    assert [job.done for job in jobs.running()] == [done] and jobs.due_ms() > index.clock.now_ms()
    index.restart()
    assert index.process.built is not None
    turns(index, 20)
    assert [job.done for job in index.process.built.parts.jobs.running()] == [done]
    Pauses(index.folder).resume(Pause(lane="high", stage="argus"))
    index.settle()
    assert {one.fields["team"] for one in index.served("player").values()} == {"Blues"}
