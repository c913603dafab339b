"""Rows from files, the whole way: into documents, by version, as often as you like, and never faster than applied."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.backfill import Backfill
from gateway.settings import GatewaySettings
from ops.engine.liveness import Liveness
from ops.inputs.backfilling import Backfilling, Request, Summary
from proto.errors import SettingsError, UnavailableError
from proto.flows.loader import loads
from proto.lane import Lane
from tests.support.whole import Whole
from tests.system.feeds import FED, jsonl, score

NOW_MS = 1_790_000_000_000.0


class Turning:
    """Whoever sleeps lets the process of the index work meanwhile; or nobody, when it is stopped."""

    def __init__(self, index: Whole) -> None:
        self.index, self.works, self.waits = index, True, 0

    def __call__(self, seconds: float) -> None:
        self.waits += 1
        self.index.clock.ms += seconds * 1000
        if self.works:
            self.index.turn()


class Feeding:
    """`adsindex backfill` beside an index, in this process."""

    def __init__(self, index: Whole, folder: Path) -> None:
        self.index, self.folder, self.sleep = index, folder, Turning(index)
        self.settings = GatewaySettings(backfill_page_rows=10, feed_unit_rows_max=4, feed_ahead_rows=20)
        self.ahead: list[int] = []

    def __call__(self, *rows: Any, table: str = "scores", as_of_ms: float | None = NOW_MS, **more: Any) -> Summary:
        path = more.pop("path", None) or jsonl(self.folder / "rows.jsonl", rows)
        request = Request(path, table, as_of_ms=as_of_ms, **more)
        liveness: Any = Liveness(self.index.folder)
        try:
            return Backfilling(self.index.data, request, self.settings, liveness, self.sleep, self.tell).run()
        finally:
            liveness.close()

    def tell(self, progress: Any, applied: int) -> None:
        self.ahead.append(progress.sent - applied)

    def fields(self, *names: str) -> dict[int, list[Any]]:
        self.index.settle()
        lines = self.index.lines("player")
        return {line["id"][1]: [line["fields"][name] for name in names] for line in lines}


@pytest.fixture
def feed(tmp_path: Path, editor: sqlite3.Connection, whole: Any) -> Feeding:
    index = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(FED))
    index.settle()
    return Feeding(index, tmp_path)


def counts(summary: Summary) -> tuple[int | None, ...]:
    return summary.written, summary.unchanged, summary.older, summary.rejected


def test_rows_of_a_file_reach_their_documents(feed: Feeding) -> None:
    assert feed.fields("score", "trend") == {1: [None, None], 2: [None, None]}
    summary = feed(score(1, 0.5), score(2, 1.5), score(3, 2.5))
    assert counts(summary) == (3, 0, 0, 0) and summary.read == summary.sent == 3
    assert feed.fields("score", "trend") == {1: [0.5, [0.5]], 2: [1.5, [1.5]]}
    assert {delta.lane for delta in list(feed.index.published())[-2:]} == {Lane.LOW}
    assert counts(feed({"id": 1, "team_id": 1, "text": "good"}, table="notes")) == (1, 0, 0, 0)
    assert feed.fields("notes") == {1: [["good"]], 2: [["good"]]}


def test_run_twice_it_changes_nothing(feed: Feeding) -> None:
    rows = [score(1, 0.5), score(2, 1.5)]
    feed(*rows)
    before = (feed.fields("score"), len(list(feed.index.published())))
    assert counts(feed(*rows)) == (0, 2, 0, 0)
    assert (feed.fields("score"), len(list(feed.index.published()))) == before


def test_an_older_file_changes_nothing(feed: Feeding) -> None:
    feed(score(1, 5.0), score(2, 6.0), as_of_ms=NOW_MS)
    assert counts(feed(score(1, 1.0), score(3, 1.0), as_of_ms=NOW_MS - 1)) == (1, 0, 1, 0)
    assert feed.fields("score") == {1: [5.0], 2: [6.0]}
    assert counts(feed(score(1, 5.0), as_of_ms=NOW_MS + 9)) == (0, 1, 0, 0)
    assert counts(feed(score(1, 7.0), as_of_ms=NOW_MS + 8)) == (0, 0, 1, 0), "that it was still 5.0 is remembered"
    assert feed.fields("score") == {1: [5.0], 2: [6.0]}


def test_the_time_of_a_file_is_its_version(feed: Feeding) -> None:
    files = feed.folder / "files"
    (files / "_part").mkdir(parents=True)
    jsonl(files / "_part" / "c.jsonl", ["not looked at"])
    (files / "_SUCCESS").touch()
    for name, points, ms in (("a.jsonl", 9.0, 2_000), ("b.jsonl", 8.0, 1_000)):
        jsonl(files / name, [score(1, points)])
        os.utime(files / name, ns=(ms * 1_000_000, ms * 1_000_000))
    summary = feed(path=files, as_of_ms=None)
    assert (summary.files, *counts(summary)) == (2, 1, 0, 1, 0)
    assert feed.fields("score")[1] == [9.0]


def test_a_file_of_times_to_come_is_refused(feed: Feeding) -> None:
    with pytest.raises(SettingsError, match="is as of a time to come: newer rows would lose to it until then"):
        feed(score(1, 1.0), as_of_ms=feed.index.clock.ms + 3_600_000)


def test_bad_rows_are_told_and_the_others_go_on(feed: Feeding) -> None:
    report = feed.folder / "report.jsonl"
    bad = ['{"club": "a", "num', score(2, 1.0, extra=1), {"club": "a", "number": "x", "score": 1, "trend": 1}]
    summary = feed(score(1, 0.5), *bad, score(1, 0.75), {"club": "a", "score": 1, "trend": 1}, report=report)
    assert counts(summary) == (2, 0, 0, 4) and summary.duplicates == 1
    *lines, last = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(line["row"], line["column"], line["rejected"]) for line in lines] == [
        (2, "", True), (3, "extra", True), (4, "number", True), (5, "", False), (6, "number", True),
    ]  # fmt: skip
    assert lines[2]["reason"] == "'x' (str) is not a 64-bit integer" and lines[2]["file"].endswith("rows.jsonl")
    assert last["summary"]["rejected"] == 4 and last["summary"]["written"] == 2
    assert feed.fields("score")[1] == [0.75]
    assert feed.index.letters() == []


def test_only_some_columns_leave_the_others(feed: Feeding) -> None:
    feed(score(1, 0.5))
    row = {"club": "a", "number": 1, "score": 0.75}
    assert counts(feed(row, as_of_ms=NOW_MS + 1)) == (0, 0, 0, 1)
    assert counts(feed(row, as_of_ms=NOW_MS + 1, partial=True)) == (1, 0, 0, 0)
    assert feed.fields("score", "trend")[1] == [0.75, [0.5]]


def test_a_dry_run_says_what_would_be_and_does_nothing(feed: Feeding) -> None:
    feed(*[score(number, 1.0) for number in range(1, 31)])
    ends = feed.index.data.log.ends(["updates.low", "backfills"])
    rows = [score(number, 1.0 if number % 2 else 2.0) for number in range(1, 41)]
    assert counts(feed(*rows, "[", dry_run=True, as_of_ms=NOW_MS + 1)) == (25, 15, 0, 1)
    assert counts(feed(*rows, dry_run=True, as_of_ms=NOW_MS - 1)) == (10, 0, 30, 0)
    assert feed.index.data.log.ends(["updates.low", "backfills"]) == ends
    assert counts(feed(*rows, as_of_ms=NOW_MS + 1)) == (25, 15, 0, 0)


def test_it_never_outruns_who_applies(feed: Feeding) -> None:
    summary = feed(*[score(number, 1.0) for number in range(200)])
    assert counts(summary) == (200, 0, 0, 0)
    assert max(feed.ahead) <= feed.settings.feed_ahead_rows + feed.settings.backfill_page_rows
    assert feed.sleep.waits > 5


def test_when_nobody_applies_it_stops_and_goes_on_later(feed: Feeding) -> None:
    path = jsonl(feed.folder / "rows.jsonl", [score(number, 1.0) for number in range(100)])
    feed.sleep.works = False
    store = feed.index.process.store
    store.liveness.close()
    with pytest.raises(UnavailableError, match="nobody applies the 20 rows that wait: start `adsindex run"):
        feed(path=path)
    with pytest.raises(SettingsError, match=r"is a backfill of .*rows.jsonl, not of .*other.jsonl"):
        feed(path=jsonl(feed.folder / "other.jsonl", [score(1, 1.0)]), resume=True)
    store.liveness.hold("gateway+updater+argus")
    feed.sleep.works = True
    summary = feed(path=path, resume=True)
    assert (summary.resumed_at, summary.read, *counts(summary)) == (20, 100, 100, 0, 0, 0)
    summary = feed(path=path, resume=True)
    assert (summary.resumed_at, *counts(summary)) == (None, 0, 100, 0, 0), "there was nothing to go on with"


def test_a_folder_that_is_another_one_when_it_goes_on(feed: Feeding) -> None:
    (folder := feed.folder / "scores").mkdir()
    jsonl(folder / "a.jsonl", [score(number, 1.0) for number in range(100)])
    other = jsonl(folder / "b.jsonl", [score(1, 1.0)])
    feed.sleep.works = False
    feed.index.process.store.liveness.close()
    with pytest.raises(UnavailableError):
        feed(path=folder)
    come = jsonl(folder / "c.jsonl", [score(2, 1.0)])
    with pytest.raises(SettingsError, match=r"since .*scores was stopped, .*c.jsonl has come: begin again, without"):
        feed(path=folder, resume=True)
    come.unlink()
    other.unlink()
    with pytest.raises(SettingsError, match=r"since .*scores was stopped, .*b.jsonl is not there any more: begin"):
        feed(path=folder, resume=True)


def test_a_row_that_was_sent_twice_is_counted_once(feed: Feeding) -> None:
    """Positions that no commit took along are lost with a process: what it applied last is offered again."""
    feed(*[score(number, 1.0) for number in range(10)])
    log, states = feed.index.data.log, feed_states(feed)
    partition = log.partition_of("updates.low", "feed:main:scores")
    messages = [message.value for message in log.read("updates.low", partition, 0, 100)]
    log.append("updates.low", partition, messages)
    before = feed.index.data.repo.last_timestamp()
    feed.index.settle()
    assert feed_states(feed) == states
    assert feed.index.data.repo.last_timestamp() == before, "a replay writes nothing"


def test_what_can_not_be_fed(feed: Feeding, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="table 'players' is written by its database, and has no other writer"):
        feed(score(1, 1.0), table="players")
    with pytest.raises(SettingsError, match="there is no table 'score'; did you mean 'scores'"):
        feed(score(1, 1.0), table="score")
    with pytest.raises(SettingsError, match="table 'scores' has no rows of source 'eu'; there are: main"):
        feed(score(1, 1.0), source="eu")
    with pytest.raises(SettingsError, match="there is no file or folder"):
        feed(path=tmp_path / "none.jsonl")
    (tmp_path / "void").mkdir()
    with pytest.raises(SettingsError, match=r"holds no file that ends in \.parquet, \.jsonl, \.ndjson"):
        feed(path=tmp_path / "void")
    (tmp_path / "rows.csv").write_text("a,b\n")
    with pytest.raises(SettingsError, match="say --format parquet or --format jsonl"):
        feed(path=tmp_path / "rows.csv")
    held: Any = Liveness(feed.index.folder)
    held.claim("backfill", "main:scores", 0)
    with pytest.raises(SettingsError, match="another backfill of table 'scores' is running"):
        feed(score(1, 1.0))
    held.close()


def test_edits_of_the_database_and_fed_rows_do_not_hold_each_other(feed: Feeding, editor: sqlite3.Connection) -> None:
    feed(score(1, 1.0), score(2, 2.0))
    editor.execute("UPDATE players SET value = 99 WHERE number = 1")
    assert feed.fields("score", "value") == {1: [1.0, 99], 2: [2.0, 20]}
    editor.execute("DELETE FROM players WHERE number = 2")
    feed(score(1, 3.0), as_of_ms=NOW_MS + 1)
    assert feed.fields("score", "value") == {1: [3.0, 99]}
    assert list(feed.index.data.sources()) == ["main"]


def feed_states(feed: Feeding) -> list[Any]:
    with feed.index.data.repo.snapshot() as snapshot:
        return [msgspec.msgpack.decode(version.value or b"") for _, version in snapshot.scan("_feeds", "state")]


def test_behind_each_page_disk_and_lock_are_left_to_edits(feed: Feeding, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    step = Backfill.step

    def slow(self: Backfill) -> bool:
        feed.index.clock.ms += 10
        return step(self)

    def sleep(seconds: float) -> None:
        rests.append(round(seconds, 3))
        feed.index.clock.ms += seconds * 1000
        feed.index.turn()

    monkeypatch.setattr(Backfill, "step", slow)
    monkeypatch.setattr(feed, "sleep", sleep)
    feed.settings = GatewaySettings(backfill_page_rows=10)
    feed(*[score(number, 0.5) for number in range(30)])
    assert rests[:3] == [0.02] * 3, rests
