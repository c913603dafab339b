"""`adsindex trace`: what the changes of a document went through, looked up in what the whole way has left."""

import json
import sqlite3

import pytest

from ops.cli.app import run
from ops.engine.pauses import PUBLISHING, Pause
from ops.lookup.traces import document_traces, recent_traces
from proto.codec import encode_key
from proto.events import DOCUMENTS, NOTIFICATIONS, lane_topic
from proto.lane import Lane
from tests.support.whole import Whole
from ui.traces import STAGES, Trace

FIRST = encode_key(("main", "a", 1))


def traces(index: Whole, key: bytes = FIRST, limit: int = 10) -> list[Trace]:
    for periodic in index.process.loop._periodic:
        periodic.function()
    return document_traces(index.data, "player", key, limit)


def test_a_change_of_a_parent_is_traced_to_its_row_column_and_source_position(
    index: Whole, editor: sqlite3.Connection
) -> None:
    editor.execute("UPDATE teams SET name = 'Blues'")
    index.settle()
    newest, first = traces(index)
    (row,) = newest.rows
    assert (row.table, row.id, row.what, row.columns) == ("teams", 1, "changed", {"name": ("Reds", "Blues")})
    assert row.writer == "source main @ 1"
    assert (newest.kind, newest.what, newest.lane, newest.fields) == (
        "edit",
        "changed",
        "high",
        {"team": ("Reds", "Blues")},
    )
    assert (first.kind, first.what) == ("rebuild", "created")


def test_what_retention_has_left_is_not_called_created_nor_its_row_inserted(
    index: Whole, editor: sqlite3.Connection
) -> None:
    editor.execute("UPDATE teams SET name = 'Blues'")
    index.settle()
    index.data.repo.collect_garbage(index.data.repo.last_timestamp(), 10_000)
    (kept,) = traces(index)
    assert (kept.kind, kept.what, kept.fields) == ("edit", "oldest kept", None)
    assert [(row.table, row.what, row.columns, row.writer) for row in kept.rows] == [
        ("teams", "", {}, "source main @ 1")
    ]


def test_all_stages_follow_each_other(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    index.settle()
    newest = traces(index)[0]
    times = [newest.at_ms[name] for name in ("captured", "applied", "built", "published", "serving")]
    assert None not in times and times == sorted(times)  # type: ignore[type-var]
    assert set(newest.stages_ms()) == set(STAGES)


def test_the_rows_of_one_transaction_that_the_document_reads_are_named_and_no_others(
    index: Whole, editor: sqlite3.Connection
) -> None:
    editor.executescript(
        "BEGIN; UPDATE players SET value = value + 1; INSERT INTO goals VALUES (2, 'a', 1, 50); COMMIT"
    )
    index.settle()
    rows = {(row.table, json.dumps(row.id)): row.what for trace in traces(index) for row in trace.rows}
    assert rows == {("players", '["a", 1]'): "changed", ("goals", "2"): "inserted"}


def test_a_deleted_document_keeps_its_traces(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("DELETE FROM players WHERE number = 1")
    index.settle()
    newest = traces(index)[0]
    assert (newest.what, newest.rows[0].what) == ("deleted", "deleted")


def test_a_version_that_waits_or_was_overtaken_is_not_published(index: Whole, editor: sqlite3.Connection) -> None:
    publishing = Pause(stage=PUBLISHING)
    index.process.store.pauses.pause(publishing)
    index.clock.ms += 1000.0  # pauses are looked at now and then
    index.turn()
    for value in (11, 12):
        editor.execute("UPDATE players SET value = ? WHERE number = 1", (value,))
        for _ in range(20):
            index.turn()
    waiting, overtaken, _ = traces(index)
    assert (waiting.kind, overtaken.kind) == ("unpublished", "unpublished")
    index.process.store.pauses.resume(publishing)
    index.settle()
    published, overtaken, _ = traces(index)
    assert (published.kind, overtaken.kind) == ("edit", "unpublished")


def test_what_the_log_has_forgotten_is_left_out(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    index.settle()
    log = index.process.store.log
    topic = lane_topic(NOTIFICATIONS, Lane.HIGH)
    log.trim(topic, 0, log.bounds(topic, 0)[1])
    newest = traces(index)[0]
    assert (newest.kind, newest.rows) == ("edit", [])
    log.trim(DOCUMENTS, 0, log.bounds(DOCUMENTS, 0)[1])
    assert [trace.kind for trace in traces(index)] == ["unpublished", "unpublished"]


def test_recent_traces_name_the_tables_of_their_causes(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE teams SET name = 'Blues'")
    index.settle()
    recent = recent_traces(index.data, 3)
    assert [[row.table for row in trace.rows] for trace in recent] == [["teams"], ["teams"], []]
    assert [trace.kind for trace in recent] == ["edit", "edit", "rebuild"]


def test_the_command_prints_stages_for_people_and_for_programs(
    index: Whole, editor: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    editor.execute("UPDATE teams SET name = 'Blues'")
    index.settle()
    data = str(index.folder)
    index.close()
    assert run(["trace", "player/a,1", "--limit", "1", "--data", data, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["rows"][0]["columns"] == {"name": {"old": "Reds", "new": "Blues"}}
    assert set(shown["stages_ms"]) == set(STAGES) and shown["total_ms"] is not None
    assert run(["trace", "player/a,1", "--data", data]) == 0
    text = capsys.readouterr().out
    assert "teams/1  changed  name Reds -> Blues  by source main @ 1" in text and "serving +" in text
    assert run(["trace", "--recent", "5", "--data", data, "--json"]) == 0
    assert {one["by"] for one in json.loads(capsys.readouterr().out)["spreads"]} == {"edit", "lane", "table", "stage"}
    assert run(["trace", "player/a,99", "--data", data]) == 3
    assert run(["trace", "--data", data]) == 2
