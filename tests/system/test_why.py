"""A prepared situation for each code of `why`: what blocks first is the answer, and it says what to do."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argus.api import Change, HandlerContext, field, handler
from argus.job_states import JobStates
from ops.cli.app import run
from ops.engine.pauses import PUBLISHING, Pause
from ops.installation import Installation, save_installation
from ops.lookup.explain import explain, find_document
from ops.readers import Standing
from ops.stale.backlog import stale_parts
from ops.stale.orders import Why as WhyDropped
from ops.stale.orders import order
from ops.stale.request import HealRequest
from proto.codec import encode_key
from proto.events import NOTIFICATIONS, lane_topic
from proto.flows.loader import loads
from proto.lane import Lane
from proto.record import decode_record
from proto.record import encode as encode_record
from repo.api import Transaction
from repo.system import JobState
from serving.reader import DocumentReader
from tests.support.functions import module_of
from tests.support.whole import Whole
from tests.system.club import FLOWS, club
from ui.why.answer import RULES
from ui.why.finding import Finding, Why

FIRST = encode_key(("main", "a", 1))


@pytest.fixture
def index(index: Whole) -> Whole:
    """The data folder knows where its source is, as after `adsindex run`."""
    save_installation(index.folder, Installation(index.sources))
    return index


def why(index: Whole, *key: str | int, as_of: int | None = None) -> Why:
    for periodic in index.process.loop._periodic:
        periodic.function()
    return explain(index.data, "player", encode_key(("main", *key)) if key else FIRST, as_of)


def finding(answer: Why, code: str) -> Finding:
    return next(one for one in answer.findings if one.code == code)


def turns(index: Whole, count: int = 20) -> None:
    for _ in range(count):
        index.turn()
        index.clock.ms += 50.0


def paused(index: Whole, **pause: str) -> None:
    index.process.store.pauses.pause(Pause(**pause, since_ms=index.clock.ms, who="ana", reason="a test"))
    turns(index)


def test_serving_says_since_when(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE teams SET name = 'Blues'")
    index.settle()
    answer = why(index)
    assert (answer.code, answer.serving, answer.current, answer.next_step) == ("serving", True, True, "")
    assert (
        answer.sentence.startswith("Serving: the document is current (built ") and "in serving since" in answer.sentence
    )
    assert [one.code for one in answer.findings] == [*RULES, "serving"]
    assert {one.state for one in answer.findings} == {"passed"}
    assert answer.trace is not None and answer.trace.rows[0].table == "teams"


def test_unknown_id(index: Whole) -> None:
    answer = why(index, "nobody", 9)
    assert (answer.code, answer.serving, answer.trace) == ("unknown_id", False, None)
    assert "there is no player nobody,9" in answer.sentence


def test_not_in_source_says_when_it_was_deleted(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("DELETE FROM players WHERE number = 1")
    index.settle()
    answer = why(index)
    assert (answer.code, answer.serving) == ("not_in_source", False)
    assert "players/a,1 was deleted at" in answer.sentence and "position 1)" in answer.sentence


def test_what_a_handler_wrote_beside_a_row_is_not_the_row(
    tmp_path: Path, editor: sqlite3.Connection, whole: Callable[..., Whole], capsys: pytest.CaptureFixture[str]
) -> None:
    @handler(observes=["goals"], version=1)
    async def count_goals(ctx: HandlerContext, change: Change) -> None:
        goal = await ctx.read(change.row)
        if goal is not None:
            player = ctx.row("players", goal["club"], goal["number"])
            ctx.write(player, {"scored": len(await ctx.collection(player, "goals"))})

    derived = '[tables.players.derived]\nscored = { type = "int", handler = "count_goals" }\n[tables.goals]'
    flows = loads(FLOWS.replace("[tables.goals]", derived))
    made = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, flows, (module_of(count_goals),), "derived")
    save_installation(made.folder, Installation(made.sources))
    editor.execute("DELETE FROM players WHERE number = 2")
    editor.execute("INSERT INTO goals VALUES (2, 'a', 9, 50)")
    made.settle()
    editor.execute("DELETE FROM players WHERE number = 1")
    editor.execute("INSERT INTO goals VALUES (3, 'a', 1, 50)")
    made.settle()
    answer = why(made)
    assert (answer.code, answer.current) == ("not_in_source", True) and "was deleted at" in answer.sentence
    assert why(made, "a", 9).code == "unknown_id"
    made.close()
    assert run(["row", "players/a,1", "--data", str(made.folder)]) == 3
    shown = capsys.readouterr().out
    assert "deleted" in shown and "scored" in shown and "shirt" not in shown


def test_not_in_source_before_the_deletion_is_captured(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("DELETE FROM players WHERE number = 1")
    answer = why(index)
    assert (answer.code, answer.serving) == ("not_in_source", True)
    assert "its deletion has not arrived here yet" in answer.sentence


def test_capture_behind_names_the_row_and_by_how_much(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE teams SET name = 'Blues'")
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("capture_behind", True, False)
    assert "1 change in source main still to be captured, to teams/1 among them" in answer.sentence
    assert "up to position 0 of 1" in answer.sentence


def test_a_row_that_is_only_in_the_database_is_behind_and_not_unknown(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("INSERT INTO players VALUES ('b', 1, 1, 's9', 10)")
    answer = why(index, "b", 1)
    assert (answer.code, answer.serving) == ("capture_behind", False)


def test_changes_of_other_rows_are_a_remark(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = 21 WHERE number = 2")
    answer = why(index)
    assert answer.code == "serving"
    assert finding(answer, "capture_behind").state == "remark"


def test_when_nothing_runs_it_says_so_and_how_to_start(index: Whole, editor: sqlite3.Connection) -> None:
    index.process.store.liveness.close()
    answer = why(index)
    assert answer.code == "serving"
    assert "nothing runs that would capture the next one" in answer.sentence
    assert finding(answer, "capture_behind").next_step == f"adsindex run --data {index.folder}"
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    answer = why(index)
    assert answer.code == "capture_behind" and "nothing runs" in answer.sentence
    assert answer.next_step == f"adsindex run --data {index.folder}"


def test_capture_failed(index: Whole, tmp_path: Path) -> None:
    (tmp_path / "club.db").rename(tmp_path / "away.db")
    turns(index, 4)
    answer = why(index)
    assert (answer.code, answer.serving) == ("capture_failed", True)
    assert "source main can't be captured" in answer.sentence and "the file is not there" in answer.sentence
    assert answer.next_step == "adsindex doctor"


def test_apply_pending(index: Whole, editor: sqlite3.Connection) -> None:
    paused(index, lane="high", stage="updater")
    editor.execute("UPDATE teams SET name = 'Blues'")
    turns(index)
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("apply_pending", True, False)
    assert "teams/1, in lane high" in answer.sentence and "by ana: a test" in answer.sentence
    assert answer.next_step == "adsindex lanes resume high --stage updater"


def test_apply_failed(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE teams SET weight = 'heavy'")
    index.settle()
    answer = why(index)
    assert (answer.code, answer.serving) == ("apply_failed", True)
    assert "teams/1" in answer.sentence and "weight" in answer.sentence and "heavy" in answer.sentence
    assert answer.next_step.startswith("mend teams/1")


def test_apply_failed_names_its_own_row_first_and_all(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE goals SET minute = 'late'")
    index.settle()
    editor.execute("UPDATE players SET value = 'lots' WHERE number = 1")
    index.settle()
    answer = why(index)
    assert "(1 attempt" in answer.sentence.partition("failed: column 'value': 'lots'")[2]
    assert "so did goals/1. " in answer.sentence
    assert answer.next_step.startswith('mend players/["a", 1] and goals/1 in the database')


def test_a_row_that_never_could_be_stored(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("INSERT INTO players VALUES ('a', 3, 1, 's3', 1.5)")
    index.settle()
    answer = why(index, "a", 3)
    assert (answer.code, answer.serving) == ("apply_failed", False)


def test_notify_pending(index: Whole) -> None:
    """A row that changed without a notification: nobody would ever build its documents."""
    repo, key = index.process.store.repo, encode_key(("main", 1))
    with repo.snapshot() as snapshot:
        (version,) = snapshot.read("teams", "high", [key])
        transaction = Transaction(snapshot.timestamp)
    assert version is not None and version.value is not None
    record = decode_record(version.value)
    transaction.write("teams", key, "high", encode_record(record))
    repo.commit([transaction])
    answer = why(index)
    assert (answer.code, answer.current) == ("notify_pending", False)
    assert "teams/1." in answer.sentence


def test_build_pending_in_a_lane(index: Whole, editor: sqlite3.Connection) -> None:
    paused(index, lane="high", stage="argus")
    editor.execute("UPDATE players SET value = 21 WHERE number = 2")
    turns(index)
    editor.execute("UPDATE teams SET name = 'Blues'")
    turns(index)
    answer = why(index)
    assert (answer.code, answer.serving) == ("build_pending", True)
    assert "teams/1, in lane high, behind 1 other" in answer.sentence and "paused since" in answer.sentence
    assert answer.next_step == "adsindex lanes resume high --stage argus"


def test_a_member_of_a_collection_waits_too(index: Whole, editor: sqlite3.Connection) -> None:
    paused(index, lane="medium", stage="argus")
    editor.execute("INSERT INTO goals VALUES (2, 'a', 1, 50)")
    turns(index)
    answer = why(index)
    assert answer.code == "build_pending" and "goals/2, in lane medium" in answer.sentence


def job(index: Whole, name: str, kind: str, target: str, **state: Any) -> None:
    """As argus would have begun it just now."""
    repo, clock = index.process.store.repo, index.clock
    with repo.snapshot() as snapshot:
        timestamp = snapshot.timestamp
    at = int(clock.ms) * 1_000_000
    made = JobState(id=name, kind=kind, lane=Lane.LOW, at=at, target=target, started_ms=clock.ms, **state)
    JobStates(repo).store(made, timestamp)


def test_build_pending_by_a_job(index: Whole) -> None:
    job(index, "refresh player 1", "refresh", "player", done=1000, state="paused")
    answer = why(index)
    assert (answer.code, answer.serving) == ("build_pending", True)
    assert "refresh player 1, lane low, 1,000 done, paused" in answer.sentence
    assert answer.next_step == "adsindex jobs resume 'refresh player 1'"


def test_only_fan_outs_of_rows_that_the_document_reads_count(index: Whole) -> None:
    job(index, "fanout player:team teams/7@5", "fanout", "player:team", state="paused")
    assert why(index).code == "serving"
    job(index, "fanout player:team teams/1@5", "fanout", "player:team", state="paused")
    assert why(index).code == "build_pending"


def test_a_job_that_fails(index: Whole) -> None:
    job(index, "refresh player 1", "refresh", "player", state="paused", attempts=3, error="OSError: no")
    answer = why(index)
    assert answer.code == "build_failed" and "fails (3 attempts): OSError: no" in answer.sentence


def test_before_the_first_bootstrap_is_over(
    tmp_path: Path, editor: sqlite3.Connection, whole: Callable[..., Whole]
) -> None:
    made = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(FLOWS), (), "fresh")
    save_installation(made.folder, Installation(made.sources))
    answer = why(made)
    assert (answer.code, answer.serving) == ("capture_behind", False)
    seen = set()
    for _ in range(200):
        made.turn()
        seen.add(explain(made.data, "player", FIRST).code)
    made.settle()
    assert why(made).code == "serving"
    assert seen <= {"capture_behind", "apply_pending", "build_pending", "publish_pending", "serving"}


def test_build_failed(tmp_path: Path, editor: sqlite3.Connection, whole: Callable[..., Whole]) -> None:
    @field(inputs={"value": "value"}, version=1, document="player")
    def inverse(value: int) -> float:
        return 1 / (value - 11)

    made = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(FLOWS), (module_of(inverse),), "failing")
    made.settle()
    save_installation(made.folder, Installation(made.sources))
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    made.settle()
    answer = why(made)
    assert (answer.code, answer.serving, answer.current) == ("build_failed", True, False)
    assert "inverse: ZeroDivisionError" in answer.sentence and "1 attempt" in answer.sentence
    assert answer.next_step.endswith("adsindex dead-letters replay 'player/a,1'")


def test_reference_missing_names_the_row_and_who_points_at_it(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET team_id = 99 WHERE number = 1")
    index.settle()
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("reference_missing", False, True)
    assert "players/a,1.team_id points at teams/99, which is not there" in answer.sentence
    editor.execute("UPDATE players SET team_id = NULL WHERE number = 1")
    index.settle()
    answer = why(index)
    assert answer.code == "reference_missing" and "players/a,1.team_id is not set" in answer.sentence
    assert answer.next_step == "set players/a,1.team_id"


def test_a_missing_reference_that_the_condition_allows_is_not_the_reason(
    tmp_path: Path, editor: sqlite3.Connection, whole: Callable[..., Whole]
) -> None:
    flows = FLOWS.replace("team.name is not null", "(team.name is null or team.name <> 'Banned')")
    made = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(flows), (), "optional")
    save_installation(made.folder, Installation(made.sources))
    editor.execute("UPDATE players SET value = -5, team_id = NULL WHERE number = 1")
    editor.execute("UPDATE players SET value = -5, team_id = 99 WHERE number = 2")
    made.settle()
    assert why(made).code == "not_servable"
    answer = why(made, "a", 2)
    assert answer.code == "not_servable" and finding(answer, "reference_missing").state == "remark"


def test_table_parked_says_which_column_and_what_to_do(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("ALTER TABLE teams RENAME COLUMN name TO title")
    index.settle()
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("table_parked", True, False)
    assert "table teams is parked" in answer.sentence and "name" in answer.sentence


def test_an_id_of_a_table_that_is_parked(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("ALTER TABLE players RENAME COLUMN shirt TO jersey")
    editor.execute("INSERT INTO players VALUES ('b', 1, 1, 's9', 10)")
    index.settle()
    answer = why(index, "b", 1)
    assert (answer.code, answer.serving) == ("table_parked", False)
    assert "column 'shirt' of table 'players' is gone" in answer.sentence


def test_not_servable_says_which_part_its_value_and_since_when(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = -5 WHERE number = 1")
    index.settle()
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("not_servable", False, True)
    assert answer.sentence.startswith("Not serving: value of player a,1 is -5 since ")
    assert "(source main, position 1)" in answer.sentence
    assert "Everything else is fine: the document is current" in answer.sentence
    assert answer.sentence.endswith("To serve again, value of player a,1 must be above 0.")


def test_null_is_not_servable(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = NULL WHERE number = 1")
    index.settle()
    assert "value of player a,1 is not set (NULL)" in why(index).sentence


def test_publish_paused(index: Whole, editor: sqlite3.Connection) -> None:
    paused(index, stage=PUBLISHING)
    assert finding(why(index), "publish_paused").state == "remark"
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    turns(index)
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("publish_paused", True, False)
    assert "by ana: a test" in answer.sentence and answer.next_step == "adsindex publish resume"


def test_not_servable_and_not_published_tells_both(index: Whole, editor: sqlite3.Connection) -> None:
    paused(index, stage=PUBLISHING)
    editor.execute("UPDATE players SET value = -5 WHERE number = 1")
    turns(index)
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("not_servable", True, False)
    assert "Also: publishing is paused" in answer.sentence and "To serve again" not in answer.sentence
    assert answer.next_step == "adsindex publish resume"


def test_deleted_and_not_published_says_what_holds_it_back(index: Whole, editor: sqlite3.Connection) -> None:
    paused(index, stage=PUBLISHING)
    editor.execute("DELETE FROM players WHERE number = 1")
    turns(index)
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("not_in_source", True, False)
    assert answer.next_step == "adsindex publish resume"


def test_publish_pending(index: Whole, editor: sqlite3.Connection) -> None:
    index.process.stages["publisher"].consumer.waiting = lambda now_ms: []  # type: ignore[method-assign]
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    turns(index)
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("publish_pending", True, False)


@pytest.mark.parametrize("stage", ["updater", "argus"])
def test_dropped_stale_says_when_and_why_and_is_healed(index: Whole, editor: sqlite3.Connection, stage: str) -> None:
    paused(index, lane="high", stage=stage)
    editor.execute("UPDATE teams SET name = 'Blues'")
    turns(index)
    parts = stale_parts(index.data.log, (stage,), Lane.HIGH, index.clock.now_ms())
    order(
        index.data.repo,
        parts,
        WhyDropped(index.clock.ms, "older than 10 min, ordered by ana", "ana", index.clock.now_ms()),
    )
    turns(index)
    index.process.store.pauses.resume(Pause(lane="high", stage=stage))
    index.process.store.pauses.pause(Pause(lane="low"))
    turns(index)
    answer = why(index)
    assert (answer.code, answer.serving, answer.current) == ("dropped_stale", True, False)
    assert "a change of teams/1 was dropped at" in answer.sentence and "ordered by ana" in answer.sentence
    assert answer.next_step == "adsindex lanes heal"
    index.process.store.pauses.resume(Pause(lane="low"))
    HealRequest(index.folder).ask()
    index.settle()
    answer = why(index)
    assert answer.code == "serving" and "and healed at" in finding(answer, "dropped_stale").sentence


def test_serving_behind(index: Whole, editor: sqlite3.Connection) -> None:
    reader = DocumentReader(index.data.log, index.clock)
    standing = Standing(index.folder, "ads-1", index.clock)
    while reader.poll():
        pass
    standing.tell(reader.offsets()[0])
    answer = why(index)
    assert answer.code == "serving" and finding(answer, "serving_behind").sentence == "read by ads-1"
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    index.settle()
    index.clock.ms += 1_000.0
    standing.tell(reader.offsets()[0])
    answer = why(index)
    assert (answer.code, answer.current) == ("serving_behind", False)
    assert "reader ads-1 is " in answer.sentence and "behind" in answer.sentence
    reader.poll()
    index.clock.ms += 1_000.0
    standing.tell(reader.offsets()[0])
    assert why(index).code == "serving"
    standing.close()


def test_the_past(index: Whole, editor: sqlite3.Connection) -> None:
    before = index.process.store.repo.last_timestamp()
    editor.execute("UPDATE players SET value = -5 WHERE number = 1")
    index.settle()
    then = index.process.store.repo.last_timestamp()
    editor.execute("DELETE FROM players WHERE number = 1")
    index.settle()
    assert [why(index, "a", 1, as_of=at).code for at in (before, then)] == ["serving", "not_servable"]
    assert why(index).code == "not_in_source"
    assert finding(why(index, "a", 1, as_of=then), "capture_behind").state == "skipped"


def test_an_id_of_several_sources(tmp_path: Path, whole: Callable[..., Whole]) -> None:
    for name in ("eu", "us"):
        club(tmp_path / f"{name}.db").close()
    other = sqlite3.connect(tmp_path / "us.db", isolation_level=None)
    other.execute("INSERT INTO players VALUES ('b', 7, 1, 's7', 70)")
    made = whole({name: f"sqlite:///{tmp_path / name}.db" for name in ("eu", "us")}, loads(FLOWS), (), "several")
    made.settle()
    assert find_document(made.data, "player/b,7").text == "player/us:b,7"
    assert find_document(made.data, "eu:a,1").text == "player/eu:a,1"
    with pytest.raises(Exception, match="player/eu:a,1 and player/us:a,1; write SOURCE:ID"):
        find_document(made.data, "a,1")


def test_the_command(index: Whole, editor: sqlite3.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    editor.execute("UPDATE players SET value = -5 WHERE number = 1")
    index.settle()
    data = str(index.folder)
    index.close()
    assert run(["why", "player/a,1", "--data", data, "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["code"], shown["serving"], shown["trace"]["kind"]) == ("not_servable", False, "edit")
    assert [one["code"] for one in shown["findings"]] == list(RULES)
    assert run(["why", "player/a,2", "--data", data]) == 0
    text = capsys.readouterr().out
    assert "Serving: the document is current" in text and "passed  table_parked" in text
    assert run(["why", "player/z,1", "--data", data, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["code"] == "unknown_id"
    assert run(["why", "nothing/1", "--data", data]) == 2


def test_no_notification_topic_is_written_by_looking(index: Whole) -> None:
    log = index.process.store.log
    before = log.last_commit()
    why(index)
    assert log.last_commit() == before and log.bounds(lane_topic(NOTIFICATIONS, Lane.HIGH), 0)[1] == 0
