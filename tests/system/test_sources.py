"""What happens to a source: it is locked, replaced, restored, loses its triggers, its columns, its tables."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ops.cli.app import run
from ops.installation import Installation, save_installation
from proto.flows.loader import loads
from tests.support.whole import Whole
from tests.system.club import FLOWS, club


def values(index: Whole) -> dict[int, Any]:
    return {line["id"][1]: line["fields"]["value"] for line in index.lines("player")}


def turns(index: Whole, seconds: float) -> None:
    for _ in range(int(seconds * 20)):
        index.turn()
        index.clock.ms += 50.0


def mends(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `doctor` says to do about errors."""
    return [one["mend"] for one in json.loads(capsys.readouterr().out) if one["level"] == "error"]


def test_a_locked_source_is_tried_again(tmp_path: Path, editor: sqlite3.Connection, whole: Any) -> None:
    """Without WAL a writer locks readers out, too."""
    editor.execute("PRAGMA journal_mode = DELETE")
    index = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(FLOWS))
    index.settle()
    editor.execute("BEGIN EXCLUSIVE")
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    turns(index, 5)
    assert any("locked" in error for error in index.errors()), index.errors()
    assert values(index) == {1: 10, 2: 20}
    editor.execute("COMMIT")
    index.settle()
    assert values(index) == {1: 11, 2: 20}


@pytest.mark.parametrize("how", ["another", "restored", "restored and went on"])
def test_a_replaced_source_stops_until_it_is_attached_again(
    tmp_path: Path, index: Whole, editor: sqlite3.Connection, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, backup = tmp_path / "club.db", tmp_path / "backup.db"
    if how == "another":
        club(backup).close()
    else:
        editor.execute(f"VACUUM INTO '{backup}'")
    editor.execute("UPDATE players SET value = 12 WHERE number = 2")
    index.settle()
    editor.close()
    for name in ("club.db-wal", "club.db-shm", "backup.db-wal", "backup.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    backup.replace(path)
    editor = sqlite3.connect(path, isolation_level=None)
    editor.execute("DELETE FROM players WHERE number = 1")
    if how != "restored":
        editor.execute("UPDATE players SET value = 99")
    turns(index, 2)
    assert any("adsindex source attach --new-incarnation" in error for error in index.errors()), index.errors()
    assert values(index) == {1: 10, 2: 12}, "what was there is still served"
    index.close()
    attach = ("source", "attach", f"sqlite:///{path}", "--data", str(index.folder))
    save_installation(index.folder, Installation(index.sources))
    capsys.readouterr()
    doctor = ["doctor", "--data", str(index.folder), "--json"]
    assert run(doctor) == 1 and mends(capsys) == ["adsindex source attach --new-incarnation"]
    assert run([*attach]) == 2 and "--new-incarnation" in capsys.readouterr().err
    assert run([*attach, "--new-incarnation"]) == 0
    capsys.readouterr()
    assert run(doctor) == 0 and mends(capsys) == []
    index.restart()
    index.settle()
    assert values(index) == dict(editor.execute("SELECT number, value FROM players")) and len(values(index)) == 1
    editor.close()


def test_lost_triggers_are_installed_again_and_the_tables_compared(index: Whole, editor: sqlite3.Connection) -> None:
    triggers = editor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    assert triggers
    for (name,) in triggers:
        editor.execute(f'DROP TRIGGER "{name}"')
    editor.executescript("DELETE FROM players WHERE number = 1; UPDATE players SET value = 21")
    index.settle()
    assert values(index) == {2: 21}
    assert editor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall() == triggers


@pytest.mark.parametrize(
    ("gone", "back"),
    [
        ("ALTER TABLE players RENAME COLUMN value TO worth", "ALTER TABLE players RENAME COLUMN worth TO value"),
        ("ALTER TABLE players DROP COLUMN value", "ALTER TABLE players ADD COLUMN value INTEGER"),
    ],
)
def test_a_used_column_that_is_gone_parks_its_table_only(
    index: Whole, editor: sqlite3.Connection, gone: str, back: str
) -> None:
    editor.execute(gone)
    editor.execute("UPDATE teams SET name = 'Blues'")
    index.settle()
    (state,) = index.data.source_states().values()
    assert "column 'value' of table 'players' is gone" in state.parked["players"]
    assert "bring the column back" in state.parked["players"]
    assert [line["fields"]["team"] for line in index.lines("player")] == ["Blues", "Blues"], "the others go on"
    editor.execute("UPDATE players SET shirt = 'new' WHERE number = 2")
    editor.execute(back)
    index.settle()
    assert values(index) == dict(editor.execute("SELECT number, value FROM players"))
    assert {line["fields"]["shirt"] for line in index.lines("player")} == {"s1", "new"}
    (state,) = index.data.source_states().values()
    assert state.parked == {}


def test_two_sources_with_the_same_ids_do_not_mix(tmp_path: Path, whole: Any) -> None:
    editors = {name: club(tmp_path / f"{name}.db") for name in ("eu", "us")}
    editors["us"].executescript("UPDATE teams SET name = 'Yanks'; UPDATE players SET value = value + 1")
    index = whole({name: f"sqlite:///{tmp_path / name}.db" for name in editors}, loads(FLOWS))
    index.settle()

    def found() -> dict[tuple[str, int], tuple[Any, ...]]:
        lines = index.lines("player")
        return {(line["source"], line["id"][1]): (line["fields"]["team"], line["fields"]["value"]) for line in lines}

    both = {("eu", 1): ("Reds", 10), ("eu", 2): ("Reds", 20), ("us", 1): ("Yanks", 11), ("us", 2): ("Yanks", 21)}
    assert found() == both
    editors["eu"].executescript("UPDATE teams SET name = 'Blues'; DELETE FROM players WHERE number = 2")
    index.settle()
    assert found() == {**{key: row for key, row in both.items() if key[0] == "us"}, ("eu", 1): ("Blues", 10)}
    for editor in editors.values():
        editor.close()


def test_a_second_data_folder_is_refused_until_the_first_is_gone(
    tmp_path: Path, index: Whole, editor: sqlite3.Connection, whole: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    second = whole(index.sources, loads(FLOWS), name="second")
    turns(second, 2)
    refused = f"feeds the data folder {index.folder} already"
    assert any(refused in error for error in second.errors()) and values(second) == {}
    second.close()
    save_installation(second.folder, Installation(second.sources))
    capsys.readouterr()
    assert run(["doctor", "--data", str(second.folder), "--json"]) == 1
    assert refused in capsys.readouterr().out
    editor.execute("UPDATE players SET value = 12 WHERE number = 2")
    index.settle()
    assert values(index) == {1: 10, 2: 12}
    index.close()
    index.folder.rename(tmp_path / "kept")
    second.restart()
    second.settle()
    assert values(second) == {1: 10, 2: 12}
