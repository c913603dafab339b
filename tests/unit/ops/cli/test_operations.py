"""`tail`, `lanes`, `dead-letters`, `jobs`, `status`, `doctor`, `init`."""

import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.json import encode as encode_json

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.route import captured_table
from ops.engine.clock import SystemClock
from ops.engine.liveness import Liveness
from ops.engine.status import ProcessStatus, StepStatus
from ops.installation import Installation, save_installation
from proto.codec import encode_key
from proto.events import (
    NOTIFICATIONS,
    UPDATES,
    Notification,
    RowChange,
    ShortcutRow,
    TableRows,
    Unit,
    encode,
    lane_topic,
)
from proto.flows.loader import load
from proto.lane import Lane
from repo.api import Transaction
from repo.drops import DropBook, DroppedRow
from repo.system import JobState

LETTER = {"stage": "apply", "subject": "ads/1", "reason": "'abc' is not an int", "column": "campaign_id"}


def test_tail_prints_what_was_published_from_a_sequence_on(folder: Any, adsindex: Any) -> None:
    folder.document("ad", ("shop", 1), {"title": "a"})
    second = folder.document("ad", ("shop", 2), {"title": "b"})
    folder.document("ad", ("shop", 1), None)
    folder.close()
    everything = adsindex("tail", "documents", "--no-follow", "--json").jsonl
    assert [(line["id"], line["deleted"]) for line in everything] == [(1, False), (2, False), (1, True)]
    later = adsindex("tail", "documents", "--no-follow", "--json", "--from", str(second)).jsonl
    assert [(line["id"], line["fields"]) for line in later] == [(2, {"title": "b"}), (1, None)]
    assert later[0]["latency_ms"] == 1.5


def test_lanes_show_what_waits_and_since_when(folder: Any, adsindex: Any) -> None:
    commit_timestamp = int(folder.clock.ms * 1e6)
    message = commit_timestamp.to_bytes(8, "big") + encode(Notification(Lane.LOW, []))
    folder.log.append(lane_topic(NOTIFICATIONS, Lane.LOW), 0, [message] * 3)
    folder.log.save_positions({("argus", lane_topic(NOTIFICATIONS, Lane.LOW), 0): 1})
    folder.close()
    low = next(line for line in adsindex("lanes", "show", "--json").json if line["topic"] == "notifications.low")
    assert (low["waiting"], low["kept"], low["paused"]) == (2, 3, False)
    assert low["oldest_ms"] > 0


def test_lanes_pause_and_resume(folder: Any, adsindex: Any) -> None:
    folder.close()
    assert adsindex("lanes", "pause", "low").code == 0
    paused = {line["topic"] for line in adsindex("lanes", "show", "--json").json if line["paused"]}
    assert paused == {"updates.low", "notifications.low"}
    adsindex("lanes", "resume", "low")
    assert not any(line["paused"] for line in adsindex("lanes", "show", "--json").json)
    assert adsindex("lanes", "pause", "urgent").code == 2
    assert adsindex("lanes", "pause", "high", "--stage", "publisher").code == 2


def test_a_pause_says_since_when_by_whom_and_why_and_repeats_safely(folder: Any, adsindex: Any) -> None:
    folder.close()
    first = adsindex("lanes", "pause", "low", "--stage", "argus", "--reason", "backfill", "--json").json
    again = adsindex("lanes", "pause", "low", "--stage", "argus", "--reason", "other", "--json").json
    assert (again["reason"], again["since"]) == ("backfill", first["since"])
    assert "was paused already" in again["what"]
    shown = {line["topic"]: line["paused_reason"] for line in adsindex("lanes", "show", "--json").json}
    assert (shown["notifications.low"], shown["updates.low"]) == ("backfill", None)
    (problem,) = [text for text in adsindex("status", "--json").json["problems"] if "paused" in text]
    assert problem.startswith("lane low of argus is paused since ")
    assert problem.endswith("(backfill): 0 messages (~0 B) wait; go on with `adsindex lanes resume low --stage argus`")
    ended = adsindex("lanes", "resume", "low").lines
    assert ended == ["lane low was not paused by itself; lane low of argus is still paused: "
                     "adsindex lanes resume low --stage argus"]  # fmt: skip
    assert adsindex("lanes", "resume", "low", "--stage", "argus", "--json").json["resumed"]
    assert not adsindex("lanes", "resume", "low", "--stage", "argus", "--json").json["resumed"]


def test_publishing_is_paused_and_resumed(folder: Any, adsindex: Any) -> None:
    folder.close()
    assert adsindex("publish", "pause", "--reason", "bad prices").code == 0
    shown = {line["topic"]: line["paused"] for line in adsindex("lanes", "show", "--json").json}
    assert {topic for topic, paused in shown.items() if paused} == {"publications"}
    status = adsindex("status", "--json")
    assert status.code == 1
    assert any("publishing is paused" in text and "bad prices" in text for text in status.json["problems"])
    assert [pause["reason"] for pause in status.json["paused"]] == ["bad prices"]
    assert "goes on" in adsindex("publish", "resume").output
    assert adsindex("publish", "resume").lines == ["publishing was not paused"]


def test_the_audit_record_tells_what_was_done_by_whom_and_why(folder: Any, adsindex: Any) -> None:
    folder.dead_letter(**LETTER, message=b"the unit", topic="updates.high")
    folder.close()
    assert adsindex("audit").lines == ["nobody has changed anything by a command"]
    adsindex("publish", "pause", "--reason", "bad prices")
    adsindex("publish", "pause")  # changes nothing, so it is no action
    adsindex("lanes", "pause", "low")
    adsindex("publish", "resume")
    adsindex("dead-letters", "replay", "--all")
    found = adsindex("audit", "--json").jsonl
    commands = ["publish pause", "lanes pause", "publish resume", "dead-letters replay"]
    assert [line["command"] for line in found] == commands
    assert (found[0]["what"], found[0]["reason"]) == ("publishing is paused", "bad prices")
    assert found[3]["what"] == "apply ads/1"
    assert all(line["who"] and line["time"].endswith("Z") for line in found)
    assert [line["command"] for line in adsindex("audit", "--json", "--limit", "1").jsonl] == commands[3:]
    assert adsindex("audit", "--since", "2100-01-01", "--json").jsonl == []


def stale_notifications(folder: Any, count: int) -> None:
    """Of the last `count` hours, one an hour; each of an ad."""
    for number in range(count):
        changed = Notification(Lane.LOW, [RowChange("ads", encode_key(("shop", number)))])
        timestamp = int((SystemClock().now_ms() - (count - number) * 3_600_000.0) * 1e6)
        folder.log.append(lane_topic(NOTIFICATIONS, Lane.LOW), 0, [timestamp.to_bytes(8, "big") + encode(changed)])


def test_drop_stale_shows_first_and_needs_a_yes(folder: Any, adsindex: Any) -> None:
    stale_notifications(folder, 10)
    folder.close()
    command = ("lanes", "drop-stale", "low", "--older-than", "4h30m")
    looked = adsindex(*command, "--dry-run", "--json").json
    assert (looked["messages"], looked["rows"], looked["parts"][0]["waiting"]) == (6, 6, 10)
    refused = adsindex(*command)
    assert refused.code == 2
    assert "6 messages of lane low (updater, argus) that are older than 4.5 h, about 6 rows" in refused.errors
    assert adsindex("audit", "--json").jsonl == []
    done = adsindex(*command, "--yes", "--reason", "backfill", "--json")
    assert (done.code, done.json["messages"], done.json["done"]) == (0, 6, False)
    assert "nothing runs: `adsindex run` does it" in done.json["what"]
    assert [line["reason"] for line in adsindex("audit", "--json").jsonl] == ["backfill"]
    waited = adsindex("lanes", "heal", "--wait", "--timeout", "0", "--json")
    assert (waited.code, waited.json["open"], waited.json["ordered"]) == (1, 0, 6), (
        "nothing is healed before it is dropped"
    )
    assert "6 messages more are ordered to be dropped, and are not yet" in adsindex("lanes", "dropped").lines


def test_drop_stale_says_what_of_feeds_is_not_dropped(folder: Any, adsindex: Any) -> None:
    fed = Unit("main", "backfill", 1, 0, 1, Lane.LOW, [TableRows("scores", ("id",), [(1,)])], capture_ms=1.0)
    folder.log.append(lane_topic(UPDATES, Lane.LOW), 0, [encode(fed)])
    folder.close()
    command = ("lanes", "drop-stale", "low", "--older-than", "1m", "--yes")
    ran = adsindex(*command)
    assert (ran.code, ran.output.strip()) == (
        0, "nothing in lane low (updater, argus) that is older than 1 min can be dropped; 1 more can't be read again by"
        " key (feeds, bootstraps): applied, not dropped",
    )  # fmt: skip
    assert adsindex(*command, "--json").json["messages"] == 0
    assert adsindex("audit", "--json").jsonl == []


def test_drop_stale_leaves_alone_what_is_fresh_and_other_lanes_and_stages(folder: Any, adsindex: Any) -> None:
    stale_notifications(folder, 3)
    folder.close()
    for arguments in (("low", "--older-than", "1d"), ("high", "--older-than", "0s"),
                      ("low", "--older-than", "0s", "--stage", "updater")):  # fmt: skip
        ran = adsindex("lanes", "drop-stale", *arguments, "--yes")
        assert (ran.code, ran.output.startswith("nothing in lane")) == (0, True)
    assert adsindex("lanes", "drop-stale", "low", "--older-than", "10 weeks", "--yes").code == 2
    assert adsindex("lanes", "drop-stale", "low", "--older-than", "0s", "--stage", "publisher").code == 2


def test_dropped_rows_are_shown_until_they_are_forgotten(folder: Any, adsindex: Any) -> None:
    book, now_ms = DropBook("argus"), SystemClock().now_ms()
    for number in (1, 2):
        row = DroppedRow(stage="argus", source="", table="ads", key=encode_key(("shop", number)), lane=2,
                         upto=int(now_ms * 1e6), dropped_ms=now_ms, reason="older than 10 min")  # fmt: skip
        book.drop(row, at=5)
    write_book(folder, book, now_ms)
    healed = DropBook("argus")
    healed.heal("ads", encode_key(("shop", 2)))
    write_book(folder, healed, now_ms + 1)
    folder.close()
    assert adsindex("lanes", "dropped").lines[0].startswith("1 row is dropped as stale and not healed, the first ")
    (row,) = adsindex("lanes", "dropped", "--json").jsonl
    assert (row["row"], row["stage"], row["lane"], row["healed"]) == ("ads/1", "argus", "low", None)
    assert [bool(row["healed"]) for row in adsindex("lanes", "dropped", "--all", "--json").jsonl] == [False, True]
    status = adsindex("status", "--json").json
    assert (status["dropped"]["open"], status["dropped"]["healed"]) == (1, 1)
    assert any("adsindex lanes heal" in problem for problem in status["problems"])
    waited = adsindex("lanes", "heal", "--wait", "--timeout", "0", "--json")
    assert (waited.code, waited.json["open"]) == (1, 1)
    assert "nothing runs" in waited.json["what"]


def test_there_is_nothing_to_heal(folder: Any, adsindex: Any) -> None:
    folder.close()
    assert adsindex("lanes", "dropped").lines == ["nothing is dropped"]
    assert adsindex("lanes", "heal", "--wait").lines == ["nothing is dropped: there is nothing to heal"]


def write_book(folder: Any, book: DropBook, now_ms: float) -> None:
    with folder.repo.snapshot() as snapshot:
        transaction = Transaction(snapshot.timestamp)
        book.write(snapshot, transaction, now_ms)
    assert folder.repo.commit([transaction])[0].committed


def test_dead_letters_are_listed_and_shown(folder: Any, adsindex: Any) -> None:
    folder.dead_letter(**LETTER)
    folder.close()
    (listed,) = adsindex("dead-letters", "list", "--json").jsonl
    assert (listed["subject"], listed["column"], listed["reason"]) == ("ads/1", "campaign_id", "'abc' is not an int")
    assert "'abc' is not an int" in adsindex("dead-letters", "show", "ads/1").output
    assert adsindex("dead-letters", "show", "ads/2").code == 3
    assert adsindex("dead-letters", "list", "--stage", "build").lines == ["no dead letters"]


def test_replay_offers_the_message_again_and_clears_the_letter(folder: Any, adsindex: Any) -> None:
    folder.dead_letter(**LETTER, message=b"the unit", topic="updates.high", partition=2)
    folder.close()
    assert adsindex("dead-letters", "replay", "ads/1", "--json").json == {"replayed": 1}
    assert adsindex("dead-letters", "list", "--json").output == ""
    waiting = {line["topic"]: line["waiting"] for line in adsindex("lanes", "show", "--json").json}
    assert waiting["updates.high"] == 1
    assert adsindex("dead-letters", "replay", "ads/1").code == 3


def test_what_has_no_message_stays_when_it_is_replayed(folder: Any, adsindex: Any) -> None:
    folder.dead_letter(**LETTER)
    folder.close()
    ran = adsindex("dead-letters", "replay", "--all")
    assert ran.code == 1
    assert "mend the row in its source" in ran.errors
    assert len(adsindex("dead-letters", "list", "--json").lines) == 1


def test_discard_forgets(folder: Any, adsindex: Any) -> None:
    folder.dead_letter(**LETTER)
    folder.dead_letter(**{**LETTER, "subject": "ads/2"})
    folder.close()
    assert adsindex("dead-letters", "discard").code == 2
    assert adsindex("dead-letters", "discard", "ads/1").lines == ["discarded 1 dead letter"]
    assert adsindex("dead-letters", "discard", "--all").lines == ["discarded 1 dead letter"]


def test_jobs_are_listed_paused_resumed_and_cancelled_by_a_part_of_their_name(folder: Any, adsindex: Any) -> None:
    for name, state in (("refresh ad g1", "running"), ("refresh ad g0", "done"), ("fanout campaigns/1", "running")):
        folder.job(JobState(id=name, kind=name.split()[0], lane=2, at=1, target="ad", done=5, state=state))
    folder.close()
    states = lambda: {job["id"]: job["state"] for job in adsindex("jobs", "list", "--json").jsonl}  # noqa: E731
    assert set(states()) == {"refresh ad g1", "fanout campaigns/1"}
    assert len(adsindex("jobs", "list", "--all", "--json").lines) == 3
    assert adsindex("jobs", "pause", "refresh").lines == ["paused: refresh ad g1"]
    assert states()["refresh ad g1"] == "paused"
    adsindex("jobs", "resume", "refresh")
    assert states()["refresh ad g1"] == "running"
    assert adsindex("jobs", "cancel", "refresh").code == 0
    assert set(states()) == {"fanout campaigns/1"}
    assert adsindex("jobs", "cancel", "refresh").code == 3


def test_a_job_that_fails_says_how_often_and_why(folder: Any, adsindex: Any) -> None:
    folder.job(JobState(id="refresh ad g1", kind="refresh", lane=2, at=1, target="ad", attempts=3, error="no luck"))
    folder.close()
    assert "3 failed attempts: no luck" in adsindex("jobs", "list").output
    (job,) = adsindex("jobs", "list", "--json").jsonl
    assert (job["attempts"], job["error"]) == (3, "no luck")


def test_a_source_that_is_not_there_can_not_be_detached(folder: Any, adsindex: Any) -> None:
    folder.close()
    ran = adsindex("source", "detach", "main")
    assert ran.code == 2 and "has no source 'main' (detached already?), but: none" in " ".join(ran.errors.split())


def test_a_part_that_several_jobs_have_is_refused(folder: Any, adsindex: Any) -> None:
    for name in ("refresh ad g1", "refresh region g1"):
        folder.job(JobState(id=name, kind="refresh", lane=2, at=1, target="ad"))
    folder.close()
    ran = adsindex("jobs", "pause", "refresh")
    assert ran.code == 2
    assert "fits several jobs" in ran.errors


def test_status_is_well_while_a_process_lives_and_nothing_failed(folder: Any, adsindex: Any, tmp_path: Path) -> None:
    folder.close()
    idle = adsindex("status", "--json")
    assert (idle.code, idle.json["problems"]) == (1, ["nothing runs: start it with `adsindex run`"])
    liveness = Liveness(tmp_path / "data")
    liveness.hold("gateway+updater+argus")
    try:
        ran = adsindex("status", "--json")
        assert (ran.code, ran.json["ok"], ran.json["problems"]) == (0, True, [])
        assert ran.json["sources"]["shop"]["applied"] == {"0": 7}
        assert "all is well" in adsindex("status").lines[0]
    finally:
        liveness.close()


def test_status_shows_some_of_many_jobs(folder: Any, adsindex: Any) -> None:
    for at in range(25):
        folder.job(JobState(id=f"fanout ads/{at:02}", kind="fanout", lane=0, at=1, target="ad"))
    folder.close()
    ran = adsindex("status")
    assert ran.output.count("fanout ads/") == 20 and ran.lines[-1] == "and 5 more: adsindex jobs list"
    assert len(adsindex("status", "--json").json["jobs"]) == 25


def test_wait_says_what_keeps_it_from_ever_ending(folder: Any, adsindex: Any, tmp_path: Path) -> None:
    folder.close()
    assert adsindex("wait", "--timeout", "0").output.strip().endswith("nothing runs: start it with `adsindex run`")
    liveness = Liveness(tmp_path / "data")
    liveness.hold("all")
    try:
        step = StepStatus("gateway main", errors=3, last_error="SettingsError: it was restored", failing=True)
        (tmp_path / "data/status").mkdir(exist_ok=True)
        told = ProcessStatus(os.getpid(), "all", 0.0, 0.0, [step])
        (tmp_path / "data/status/all.json").write_bytes(encode_json(told))
        assert (
            adsindex("wait", "--timeout", "0", "--json")
            .json["waiting_for"]
            .endswith("; gateway main fails: SettingsError: it was restored")
        )
    finally:
        liveness.close()


def test_status_names_dead_letters(folder: Any, adsindex: Any) -> None:
    folder.dead_letter(**LETTER)
    folder.close()
    ran = adsindex("status")
    assert ran.code == 1
    assert "! 1 dead letter: see `adsindex dead-letters list`" in ran.lines


def test_doctor_finds_the_journal_mode_and_tables_without_a_key(adsindex: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE ads (id INTEGER PRIMARY KEY)")
        database.execute("CREATE TABLE log (text TEXT)")
    database.close()
    ran = adsindex("doctor", "--source", f"sqlite:///{tmp_path}/shop.db", "--json")
    assert ran.code == 0
    warnings = {finding["subject"]: finding["mend"] for finding in ran.json if finding["level"] == "warning"}
    assert "PRAGMA journal_mode = WAL" in warnings["journal mode"]
    assert "primary key" in warnings["tables"]


@pytest.fixture
def captured(folder: Any, tmp_path: Path) -> sqlite3.Connection:
    """The database `eu` of the data folder, attached, with triggers; its table `regions` is missing."""
    database = sqlite3.connect(tmp_path / "shop.db")
    database.executescript(
        """PRAGMA journal_mode = WAL; CREATE TABLE campaigns (id INTEGER PRIMARY KEY, name, budget, note);
        CREATE TABLE ads (id INTEGER PRIMARY KEY, title, icon, campaign_id); CREATE TABLE other (text)"""
    )
    url = f"sqlite:///{tmp_path}/shop.db"
    capture = SqliteCapture(url)
    capture.attach()
    capture.refresh([captured_table(table) for table in folder.flows.tables.values()])
    capture.close()
    save_installation(tmp_path / "data", Installation({"eu": url}))
    folder.close()
    return database


@pytest.mark.parametrize("named", [False, True])
def test_doctor_looks_at_the_tables_that_the_flows_read(
    captured: sqlite3.Connection, adsindex: Any, tmp_path: Path, named: bool
) -> None:
    captured.execute("DROP TRIGGER adsindex_ads_delete")
    captured.close()
    ran = adsindex("doctor", "--json", *(["--source", f"sqlite:///{tmp_path}/shop.db"] if named else []))
    assert ran.code == 1
    found = {one["subject"]: one for one in ran.json if one["source"] == "eu"}
    assert {subject: one["level"] for subject, one in found.items()} == {
        "SQLite": "fine", "journal mode": "fine", "change log": "fine", "write access": "fine",
        "table campaigns": "fine", "table ads": "warning", "table regions": "error",
    }  # fmt: skip
    assert "adsindex_ads_delete" in found["table ads"]["text"] and "adsindex run" in found["table ads"]["mend"]
    assert "[tables.regions]" in found["table regions"]["mend"]


def test_doctor_says_beside_each_finding_what_to_do(
    captured: sqlite3.Connection, adsindex: Any, tmp_path: Path
) -> None:
    captured.execute("CREATE TABLE regions (country, code, label, PRIMARY KEY (country, code))")
    captured.close()
    ran = adsindex("doctor")
    assert ran.code == 0
    (line,) = [line for line in ran.lines if "may be NULL" in line]
    assert line.startswith("warning") and "eu: table regions" in line and line.endswith("-> declare it NOT NULL")
    (tmp_path / "data" / "installation.json").write_text("{")
    ran = adsindex("doctor")
    assert ran.code == 1
    assert any("sources" in line and "installation.json" in line for line in ran.lines if line.startswith("error"))


def test_doctor_fails_for_a_source_that_is_not_there(adsindex: Any, tmp_path: Path) -> None:
    ran = adsindex("doctor", "--source", f"sqlite:///{tmp_path}/none.db")
    assert ran.code == 1
    (line,) = [line for line in ran.lines if line.startswith("error")]
    assert "there is no file" in line and "correct --source" in line
    assert not (tmp_path / "none.db").exists()


def test_init_writes_a_flows_file_that_loads_and_never_overwrites(adsindex: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE campaigns (id INTEGER PRIMARY KEY, name TEXT)")
        database.execute("CREATE TABLE ads (id INTEGER PRIMARY KEY, campaign_id INTEGER REFERENCES campaigns)")
    database.close()
    out = tmp_path / "flows.toml"
    command = ("init", "--source", f"sqlite:///{tmp_path}/shop.db", "--out", str(out))
    assert adsindex(*command).code == 0
    assert set(load(out).tables) == {"campaigns", "ads"}
    ran = adsindex(*command)
    assert ran.code == 2
    assert "--force" in ran.errors


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",)])
def test_the_program_alone_shows_its_commands(adsindex: Any, arguments: tuple[str, ...]) -> None:
    assert adsindex(*arguments).code == 0


def test_tail_prints_any_topic(folder: Any, adsindex: Any) -> None:
    row = ShortcutRow("campaigns", "shop", [3], 1, 8, {"budget": "1.50", "icon": b"\x00"}, 1_000.0, 1_002.5)
    gone = ShortcutRow("regions", "shop", ["DE", 3], 1, 9, None)
    folder.log.append("budget", folder.log.partition_of("budget", "shop"), [encode(row), encode(gone)])
    folder.log.append("notifications.low", 0, [(7).to_bytes(8, "big") + encode(Notification(Lane.LOW, []))])
    folder.document("ad", ("shop", 1), {"title": "a"})
    folder.log.append("strange", 0, [b"\x01"])
    folder.close()
    first, second = adsindex("tail", "budget", "--no-follow", "--json").jsonl
    assert first == {
        "partition": 0, "offset": 0, "table": "campaigns", "id": 3, "source": "shop", "incarnation": 1, "position": 8,
        "deleted": False, "columns": {"budget": "1.50", "icon": "AA=="}, "latency_ms": 2.5,
    }  # fmt: skip
    assert (second["id"], second["deleted"], second["columns"]) == (["DE", 3], True, None)
    assert adsindex("tail", "budget", "--no-follow", "--json", "--from", "1").jsonl == [second]
    assert 'columns={"budget":"1.50","icon":"AA=="}' in adsindex("tail", "budget", "--no-follow").lines[0]
    (notification,) = adsindex("tail", "notifications.low", "--no-follow", "--json").jsonl
    assert (notification["commit_timestamp"], notification["changes"]) == (7, [])
    strange = adsindex("tail", "strange", "--no-follow")
    assert strange.code == 1 and "topic 'strange' holds a message that can't be shown" in strange.errors
    unknown = adsindex("tail", "document")
    assert unknown.code == 2 and "there is no topic 'document'; did you mean 'documents'?" in unknown.errors


@pytest.mark.parametrize(("free_mib", "level"), [(2000, "fine"), (500, "warning"), (15, "error"), (0, "error")])
def test_doctor_calls_a_full_disk_an_error(
    adsindex: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mib: int, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free_mib << 20))
    ran = adsindex("doctor", "--json")
    (disk,) = [one for one in ran.json if one["subject"] == "disk"]
    assert disk["level"] == level and ("no edit gets through" in disk["text"]) == (level == "error")
    assert (ran.code == 1) == (level == "error")
