"""Stale messages are dropped, written down by key, and healed: whatever is dropped, in the end nothing is lost."""

import sqlite3
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from argus.api import Change, HandlerContext, handler
from ops.engine.pauses import Pause, Pauses
from ops.stale.backlog import stale_parts
from ops.stale.orders import Why, order
from ops.stale.request import HealRequest
from ops.topics import ARGUS, UPDATER
from ops.waiting import Goal, missing, newest_stands
from proto.flows.loader import loads
from proto.lane import Lane
from repo.drops import DroppedRow, Piles, dropped_rows
from tests.support.functions import module_of
from tests.system.bookshop.edits import edit
from tests.system.club import FLOWS
from tests.system.test_random_edits import differences, never_back

if TYPE_CHECKING:
    from tests.support.whole import Whole

BOTH = (UPDATER, ARGUS)


def turns(whole: "Whole", count: int = 12) -> None:
    for _ in range(count):
        whole.turn()
        whole.clock.ms += 50.0


def drop(whole: "Whole", *lanes: Lane, stages: tuple[str, ...] = BOTH, before_ms: float | None = None) -> int:
    """Orders everything dropped that waits (and is older); returns how many messages."""
    before_ms = whole.clock.now_ms() if before_ms is None else before_ms
    parts = [part for lane in lanes or tuple(Lane) for part in stale_parts(whole.data.log, stages, lane, before_ms)]
    order(whole.data.repo, parts, Why(before_ms, "older than 10 min", "ana", whole.clock.now_ms()))
    return sum(part.stale for part in parts)


def pause(whole: "Whole", lane: Lane, stage: str) -> Pause:
    held = Pauses(whole.folder).pause(Pause(lane=lane.name.lower(), stage=stage))
    turns(whole, 6)
    return held


def heal(whole: "Whole") -> None:
    HealRequest(whole.folder).ask()
    for held in Pauses(whole.folder).all():
        Pauses(whole.folder).resume(held)
    whole.settle()


def rows(whole: "Whole") -> list[DroppedRow]:
    with whole.data.repo.snapshot() as snapshot:
        return dropped_rows(snapshot)[0]


def open_count(whole: "Whole") -> int:
    return sum(pile.open for pile in Piles(whole.data.repo).now())


def why_not(whole: "Whole") -> str:
    return missing(whole.data, Goal(newest_stands(whole.sources)))


@pytest.mark.parametrize("number", range(8))
def test_random_drops_under_edits_are_all_healed(bookshop: "Whole", shop: sqlite3.Connection, number: int) -> None:
    random = Random(number)
    if number % 4:
        bookshop.settle()  # else the first drops come in the middle of the bootstrap
    dropped = 0
    for _ in range(6):
        for _ in range(random.randrange(1, 4)):
            pause(bookshop, random.choice(list(Lane)), random.choice(BOTH))
        for _ in range(random.randrange(1, 10)):
            edit(shop, random)
            turns(bookshop, random.randrange(4))
        dropped += drop(bookshop, *random.sample(list(Lane), random.randrange(1, 4)))
        turns(bookshop, random.randrange(15))
        if random.random() < 0.5:
            for held in Pauses(bookshop.folder).all():
                Pauses(bookshop.folder).resume(held)
        if random.random() < 0.3:
            HealRequest(bookshop.folder).ask()
        if random.random() < 0.3:
            bookshop.restart()
        for _ in range(random.randrange(6)):
            edit(shop, random)
            turns(bookshop, random.randrange(4))
    assert dropped
    heal(bookshop)
    assert open_count(bookshop) == 0
    assert differences(bookshop, shop) == []
    assert bookshop.letters() == [] and bookshop.errors() == []
    assert all(line["missing"] == [] or "dropped" not in str(line) for line in bookshop.lines("book"))
    assert never_back(bookshop)


def test_what_is_dropped_is_never_said_to_be_servable(index: "Whole", editor: sqlite3.Connection) -> None:
    """Neither by `wait` nor by the watermark that readers go by, whatever else is published meanwhile."""
    for stage in BOTH:
        HealRequest(index.folder).done()
        held = pause(index, Lane.HIGH, stage)
        editor.execute("UPDATE players SET value = value + 1 WHERE number = 2")
        turns(index)
        demanded = index.data.repo.last_timestamp()
        drop(index, Lane.HIGH)
        Pauses(index.folder).resume(held)
        editor.execute("UPDATE players SET value = value + 1 WHERE number = 1")
        turns(index)
        watermark = index.process.built.watermark if index.process.built else None
        assert watermark is not None
        if stage == ARGUS:
            assert watermark.advance() < demanded
        assert watermark.advance() < index.data.repo.last_timestamp()
        assert "dropped as stale and not healed yet: players/a,2" in why_not(index)
        heal(index)
        assert watermark.advance() >= demanded


def test_a_dropped_row_keeps_its_old_values_and_documents_built_meanwhile_say_that_it_is_missing(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    held = pause(index, Lane.HIGH, UPDATER)
    editor.execute("BEGIN IMMEDIATE")
    editor.execute("UPDATE teams SET name = 'Blues'")
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    editor.execute("COMMIT")
    turns(index)
    assert drop(index, Lane.HIGH) == 1
    Pauses(index.folder).resume(held)
    turns(index)
    line = index.line("player", ["a", 1])
    assert line is not None
    assert (line["fields"]["team"], line["fields"]["value"], line["missing"]) == ("Reds", 10, [])
    editor.execute(
        "UPDATE players SET shirt = 'new' WHERE number = 1"
    )  # brings the whole row: half of what was dropped
    turns(index)
    line = index.line("player", ["a", 1])
    assert line is not None
    assert (line["fields"]["team"], line["fields"]["value"], line["missing"]) == ("Reds", 11, ["team"])
    assert {(row.table, bool(row.healed_ms)) for row in rows(index)} == {("teams", False), ("players", True)}
    heal(index)
    line = index.line("player", ["a", 1])
    assert line is not None
    assert (line["fields"]["team"], line["missing"]) == ("Blues", [])
    assert all(row.healed_ms and "ana" not in row.table for row in rows(index))


def test_dropped_deletes_and_inserts_are_healed(index: "Whole", editor: sqlite3.Connection) -> None:
    held = pause(index, Lane.HIGH, UPDATER)
    editor.execute("DELETE FROM players WHERE number = 1")
    turns(index, 2)
    editor.execute("INSERT INTO players VALUES ('a', 3, 1, 's3', 30)")
    turns(index, 2)
    editor.execute("INSERT INTO players VALUES ('a', 4, 1, 's4', 40)")
    turns(index, 2)
    editor.execute("DELETE FROM players WHERE number = 4")
    turns(index)
    drop(index, Lane.HIGH)
    Pauses(index.folder).resume(held)
    turns(index)
    assert set(index.documents("player")) == {("a", 1), ("a", 2)} == set(index.served("player"))
    heal(index)
    assert set(index.documents("player")) == {("a", 2), ("a", 3)} == set(index.served("player"))
    assert {(row.key, bool(row.healed_ms)) for row in rows(index)} == {(row.key, True) for row in rows(index)}
    assert len(rows(index)) == 3


def test_a_row_that_moved_twice_while_its_notifications_were_dropped_rebuilds_everybody_it_left(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    editor.execute("INSERT INTO players VALUES ('a', 3, 1, 's3', 30)")
    index.settle()
    held = pause(index, Lane.MEDIUM, ARGUS)
    for number in (2, 3):
        editor.execute("UPDATE goals SET number = ? WHERE id = 1", (number,))
        turns(index)
    drop(index, Lane.MEDIUM, stages=(ARGUS,))
    Pauses(index.folder).resume(held)
    turns(index)
    (row,) = rows(index)
    assert (row.times, row.healed_ms) == (2, 0.0)
    heal(index)
    goals = {number: found.fields["goals"] for (_, number), found in index.served("player").items()}
    assert goals == {1: [], 2: [], 3: [1]}


def test_healing_begins_by_itself_once_no_lane_is_behind(index: "Whole", editor: sqlite3.Connection) -> None:
    held = pause(index, Lane.HIGH, ARGUS)
    editor.execute("UPDATE players SET value = 5")
    turns(index)
    drop(index, Lane.HIGH)
    turns(index)
    assert open_count(index) == 2
    editor.execute("UPDATE teams SET name = 'Blues'")  # somebody waits, for long
    turns(index, 400)
    assert open_count(index) == 2
    Pauses(index.folder).resume(held)
    turns(index, 100)
    assert open_count(index) == 2
    turns(index, 200)
    assert open_count(index) == 0
    index.settle()
    assert {one.fields["value"] for one in index.served("player").values()} == {5}


def test_nothing_is_healed_while_the_low_lane_is_paused(index: "Whole", editor: sqlite3.Connection) -> None:
    for stage in BOTH:
        held = pause(index, Lane.HIGH, stage)
        editor.execute("UPDATE players SET value = value + 1")
        turns(index)
        drop(index, Lane.HIGH)
        Pauses(index.folder).resume(held)
        low = pause(index, Lane.LOW, stage)
        HealRequest(index.folder).ask()
        turns(index, 400)
        assert open_count(index) == 2
        Pauses(index.folder).resume(low)
        turns(index, 100)
        assert open_count(index) == 0
        assert not HealRequest(index.folder).asked()
        index.settle()


def test_a_drop_is_carried_out_in_a_paused_lane_and_before_anything_else_after_a_restart(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    pause(index, Lane.HIGH, ARGUS)
    editor.execute("UPDATE players SET value = 5")
    turns(index)
    before = index.documents("player")
    assert drop(index, Lane.HIGH) == 1
    index.restart()
    Pauses(index.folder).resume(Pause(lane="high", stage=ARGUS))
    turns(index)
    assert open_count(index) == 2
    assert index.documents("player") == before
    heal(index)
    assert {one.fields["value"] for one in index.documents("player").values()} == {5}


def test_what_is_fresh_is_not_dropped_wherever_it_stands(index: "Whole", editor: sqlite3.Connection) -> None:
    for stage in BOTH:
        pause(index, Lane.HIGH, stage)
        editor.execute("UPDATE players SET value = value + 1 WHERE number = 1")
        turns(index, 2)
        before_ms = index.clock.now_ms()
        index.clock.ms += 1000.0
        editor.execute("UPDATE players SET value = value + 1 WHERE number = 2")
        turns(index, 2)
        parts = stale_parts(index.data.log, (stage,), Lane.HIGH, before_ms)
        assert [(part.stale, part.waiting) for part in parts] == [(1, 2)]
        wrong = [part._replace(below=part.end) for part in parts]  # as if replayed messages had misled the search
        order(index.data.repo, wrong, Why(before_ms, "", "", before_ms))
        turns(index)
        assert open_count(index) == 1
        heal(index)


COUNTED = FLOWS.replace(
    'lanes = { weight = "low" }',
    """lanes = { weight = "low" }
collections = { squad = "players.team_id" }
derived = { players = { type = "int", handler = "count_players" } }""",
)
COUNTED += 'team_players = "team.players"\n'


@handler(observes=["players.team_id"], version=1)
async def count_players(ctx: HandlerContext, change: Change) -> None:
    """Keeps how many players a team has: of the player's team, and of the one that it has left."""
    player = await ctx.read(change.row)
    teams = {row for row in change.left if row.table == "teams"}
    if player is not None and player["team_id"] is not None:
        teams.add(ctx.row("teams", player["team_id"]))
    for team in teams:
        players = await ctx.collection(team, "squad")
        ctx.write(team, {"players": len(players)})


def test_a_handler_that_has_seen_a_later_change_is_told_what_the_dropped_one_had_left(
    tmp_path: Path, editor: sqlite3.Connection, whole: Any
) -> None:
    editor.execute("INSERT INTO teams VALUES (2, 'Blues', 1), (3, 'Greens', 1)")
    editor.execute("INSERT INTO players VALUES ('a', 3, 2, 's3', 30), ('a', 4, 3, 's4', 40)")
    index = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(COUNTED), [module_of(count_players)])
    index.settle()

    def counts() -> dict[int, int]:
        return {number: found.fields["team_players"] for (_, number), found in index.served("player").items()}

    assert counts() == {1: 2, 2: 2, 3: 1, 4: 1}
    held = pause(index, Lane.HIGH, ARGUS)
    editor.execute("UPDATE players SET team_id = 2 WHERE number = 2")
    turns(index)
    drop(index, Lane.HIGH)
    Pauses(index.folder).resume(held)
    editor.execute("UPDATE players SET team_id = 3 WHERE number = 2")
    turns(index)
    assert counts() == {1: 2, 2: 2, 3: 1, 4: 2}, "team 1 was left by the change that was dropped"
    heal(index)
    assert counts() == {1: 1, 2: 2, 3: 1, 4: 2}


def test_a_healing_that_goes_on_as_a_job_is_not_said_to_be_servable_before_its_end(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    many = [("a", number, 1, f"s{number}", 1) for number in range(10, 700)]
    editor.executemany("INSERT INTO players VALUES (?, ?, ?, ?, ?)", many)
    index.settle()
    held = pause(index, Lane.HIGH, ARGUS)
    editor.execute("UPDATE teams SET name = 'Blues'")
    turns(index)
    demanded = index.data.repo.last_timestamp()
    drop(index, Lane.HIGH)
    Pauses(index.folder).resume(held)
    turns(index)
    HealRequest(index.folder).ask()
    built = index.process.built
    assert built is not None
    for _ in range(200):
        turns(index, 1)
        if built.parts.jobs.running():
            break
    assert [job.kind for job in built.parts.jobs.running()] == ["fanout"]
    assert built.watermark.advance() < demanded
    assert why_not(index)
    index.restart()
    built = index.process.built
    assert built is not None and built.watermark.advance() < demanded
    index.settle()
    assert {one.fields["team"] for one in index.served("player").values()} == {"Blues"}
