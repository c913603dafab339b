"""A short cut through kill -9: nothing is lost, and for who keeps the highest position nothing goes back."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.processes import PATIENCE_S, Daemon, adsindex, command
from tests.system.club import FLOWS

KILLS = 4
SHORTCUT = '\n[shortcuts.values]\ntable = "players"\ncolumns = ["value", "shirt"]\n'


@pytest.fixture
def daemons() -> Iterator[list[Daemon]]:
    started: list[Daemon] = []
    yield started
    for daemon in started:
        daemon.kill()


def test_kill_9_loses_nothing_and_repeats_nothing_older(
    tmp_path: Path, editor: sqlite3.Connection, daemons: list[Daemon]
) -> None:
    (tmp_path / "flows.toml").write_text(FLOWS + SHORTCUT)
    data, random = tmp_path / "data", Random(3)
    source = ("--source", f"sqlite:///{tmp_path / 'club.db'}", "--data", data, "--flows", tmp_path / "flows.toml")

    def start(name: str, *arguments: object) -> Daemon:
        daemons.append(Daemon(command(*arguments), tmp_path / name))
        return daemons[-1]

    running = start("run.txt", "run", *source)
    running.says("live")
    reader = start("tail.txt", "tail", "values", "--json", "--from", 0, "--data", data)
    for _ in range(KILLS):
        until = time.monotonic() + random.uniform(0.1, 0.4)
        while time.monotonic() < until:
            edit(editor, random)
        running.kill()
        edit(editor, random)
        running = start("run.txt", "run", *source)
    assert adsindex("wait", "--data", data, "--timeout", PATIENCE_S / 2).code == 0
    wanted = {tuple(key): columns for *key, columns in rows(editor)}
    read_once = adsindex("tail", "values", "--no-follow", "--json", "--data", data).jsonl
    assert kept(read_once) == wanted
    deadline = time.monotonic() + PATIENCE_S
    while kept(followed := list(map(json.loads, reader.text.splitlines()))) != wanted:
        assert time.monotonic() < deadline, "who follows it through the kills has the same in the end"
        time.sleep(0.05)
    assert [line["offset"] for line in followed] == list(range(len(followed))), "each once"


def edit(editor: sqlite3.Connection, random: Random) -> None:
    number = random.randint(1, 9)
    if random.random() < 0.2:
        editor.execute("DELETE FROM players WHERE number = ?", (number,))
    else:
        row = (number, f"s{number}", random.randint(1, 1_000_000))
        editor.execute("INSERT OR REPLACE INTO players VALUES ('a', ?, 1, ?, ?)", row)


def rows(editor: sqlite3.Connection) -> list[tuple[Any, ...]]:
    found = editor.execute("SELECT club, number, value, shirt FROM players").fetchall()
    return [(club, number, {"value": value, "shirt": shirt}) for club, number, value, shirt in found]


def kept(lines: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What a consumer has that keeps the highest position of each id."""
    highest: dict[tuple[Any, ...], tuple[int, int]] = {}
    newest: dict[tuple[Any, ...], dict[str, Any] | None] = {}
    for line in lines:
        key, position = tuple(line["id"]), (line["incarnation"], line["position"])
        if position >= highest.get(key, (0, 0)):
            highest[key], newest[key] = position, line["columns"]
    return {key: columns for key, columns in newest.items() if columns is not None}
