"""Drops beside dead letters, on a full disk, of rows that can't be read again, by policy: nothing is lost either."""

import sqlite3
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from ops.audit import Audit
from ops.engine.liveness import Liveness
from ops.engine.pauses import Pause, Pauses
from ops.engine.replay import discard, replay
from ops.stale.request import HealRequest
from ops.topics import ARGUS, UPDATER
from proto.flows.loader import loads
from proto.lane import Lane
from repo.drops import drop_orders
from tests.support.full_disk import file_limit
from tests.system.bookshop.edits import edit
from tests.system.club import FLOWS
from tests.system.test_drops import BOTH, drop, heal, open_count, pause, rows, turns, why_not
from tests.system.test_full_disk import PAGES, store_bytes
from tests.system.test_random_edits import differences

if TYPE_CHECKING:
    from tests.support.whole import Whole


def letter(whole: "Whole", editor: sqlite3.Connection) -> None:
    """A player whose value is no number, until somebody mends it."""
    editor.execute("UPDATE players SET value = 'many' WHERE number = 1")
    whole.settle()
    assert [one.subject for one in whole.letters()] == ['players/["a", 1]']


def replayed(whole: "Whole") -> bool:
    return replay(whole.data.log, whole.data.dead_letters, "apply", 'players/["a", 1]')


def test_a_dead_letter_replayed_into_a_paused_lane_waits_there_and_becomes_one_again(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    letter(index, editor)
    held = pause(index, Lane.HIGH, UPDATER)
    assert replayed(index)
    turns(index)
    assert index.letters() == []
    Pauses(index.folder).resume(held)
    turns(index)
    assert [one.column for one in index.letters()] == ["value"]
    editor.execute("UPDATE players SET value = 7 WHERE number = 1")
    index.settle()
    assert index.letters() == [] and index.documents("player")["a", 1].fields["value"] == 7


def test_a_replayed_dead_letter_may_be_dropped_and_is_read_again_with_the_rest(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    letter(index, editor)
    held = pause(index, Lane.HIGH, UPDATER)
    assert replayed(index)
    editor.execute("UPDATE players SET value = 8 WHERE number = 2")
    turns(index)
    assert drop(index, Lane.HIGH) == 2
    Pauses(index.folder).resume(held)
    turns(index)
    assert [one.column for one in index.letters()] == ["value"], "a bad row is parked, as ever"
    assert open_count(index) == 1
    editor.execute("UPDATE players SET value = 7 WHERE number = 1")
    heal(index)
    assert index.letters() == []
    assert {key[1]: one.fields["value"] for key, one in index.documents("player").items()} == {1: 7, 2: 8}


def test_a_dead_letter_discarded_while_its_row_is_dropped_stays_away_once_healed(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    letter(index, editor)
    held = pause(index, Lane.HIGH, UPDATER)
    editor.execute("UPDATE players SET value = 9 WHERE number = 1")
    turns(index)
    drop(index, Lane.HIGH)
    Pauses(index.folder).resume(held)
    turns(index)
    assert [one.column for one in index.letters()] == ["value"], "dropped is not mended"
    discard(index.data.dead_letters, "apply", 'players/["a", 1]')
    heal(index)
    assert index.letters() == [] and index.documents("player")["a", 1].fields["value"] == 9


def test_a_dead_letter_of_an_older_change_changes_nothing_after_a_drop(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    """The row was dropped at a newer version than the letter's: it is healed from the source, not from the letter."""
    letter(index, editor)
    held = pause(index, Lane.HIGH, UPDATER)
    editor.execute("DELETE FROM players WHERE number = 1")
    turns(index)
    drop(index, Lane.HIGH)
    assert replayed(index)
    Pauses(index.folder).resume(held)
    turns(index)
    assert ("a", 1) in index.documents("player")
    heal(index)
    assert index.letters() == [] and set(index.documents("player")) == {("a", 2)}


def test_what_can_not_be_read_again_is_told_and_does_not_hold_up_the_rest(
    index: "Whole", editor: sqlite3.Connection
) -> None:
    held = pause(index, Lane.HIGH, UPDATER)
    editor.execute("UPDATE players SET value = 9 WHERE number = 1")
    turns(index, 2)
    editor.execute("UPDATE teams SET name = 'Blues'")
    turns(index)
    drop(index, Lane.HIGH)
    Pauses(index.folder).resume(held)
    turns(index)
    editor.execute("ALTER TABLE teams RENAME COLUMN name TO title")  # now the table is parked
    HealRequest(index.folder).ask()
    turns(index, 60)
    assert {row.table: bool(row.healed_ms) for row in rows(index)} == {"players": True, "teams": False}
    assert "teams/1" in why_not(index)
    editor.execute("ALTER TABLE teams RENAME COLUMN title TO name")
    heal(index)
    assert open_count(index) == 0
    assert {one.fields["team"] for one in index.documents("player").values()} == {"Blues"}


def test_a_table_that_nobody_reads_any_more_needs_no_healing(index: "Whole", editor: sqlite3.Connection) -> None:
    held = pause(index, Lane.MEDIUM, UPDATER)
    editor.execute("UPDATE goals SET minute = 1")
    turns(index)
    drop(index, Lane.MEDIUM)
    Pauses(index.folder).resume(held)
    turns(index)
    assert open_count(index) == 1
    kept = FLOWS[: FLOWS.index("[tables.goals]")] + FLOWS[FLOWS.index("[documents.player]") :]
    lines = [line for line in kept.splitlines() if "goals" not in line]
    index.restart(loads("\n".join(lines)))
    heal(index)
    assert open_count(index) == 0


@pytest.mark.parametrize("room", range(1, 42, 8))
def test_wherever_the_disk_fills_up_a_drop_or_a_healing_is_whole_or_not_at_all(
    bookshop: "Whole", shop: sqlite3.Connection, room: int
) -> None:
    """room: pages that are still free when it begins."""
    bookshop.settle()
    random = Random(room)
    for stage in BOTH:
        pause(bookshop, Lane.HIGH, stage)
        for _ in range(30):
            edit(shop, random)
            turns(bookshop, 1)
        drop(bookshop, Lane.HIGH)
        HealRequest(bookshop.folder).ask()
        Pauses(bookshop.folder).resume(Pause(lane="high", stage=stage))
        with file_limit(store_bytes(bookshop) + room * PAGES):
            turns(bookshop, 40)
        heal(bookshop)
        assert (open_count(bookshop), differences(bookshop, shop), bookshop.letters()) == (0, [], [])


def test_the_policy_of_the_settings_drops_what_is_too_old(
    tmp_path: Path, editor: sqlite3.Connection, whole: Any
) -> None:
    """The lane's partition is held by somebody who does nothing, until it is let go."""
    index = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(FLOWS))
    index.settle()
    index.close()
    (index.folder / "adsindex.toml").write_text("[stale]\nlow_after_s = 600\n")
    idle = Liveness(index.folder)
    assert idle.claim(ARGUS, "notifications.low", 0)
    index.restart()
    for number, age_s in enumerate((700.0, 1.0, 1.0)):
        editor.execute("UPDATE teams SET weight = ?", (number,))
        turns(index, 3)
        index.clock.ms += age_s * 1000.0
    turns(index, 40)
    with index.data.repo.snapshot() as snapshot:
        assert [(one.who, one.stage, one.lane) for one in drop_orders(snapshot)] == [("policy", ARGUS, Lane.LOW)]
    idle.close()
    turns(index, 10)
    (row,) = rows(index)
    assert (row.table, row.reason, row.times) == ("teams", "older than 10 min, by policy", 1)
    turns(index, 400)
    assert open_count(index) == 0, "healed by itself"
    assert [action.who for action in Audit(index.folder).actions()] == ["policy", "adsindex"]
