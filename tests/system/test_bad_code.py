"""Functions that do what no function should: each spoils its own document at most."""

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from argus.api import Change, HandlerContext, field, handler
from proto.errors import DESCRIBED_MAX
from proto.flows.loader import loads
from tests.support.whole import Whole

FLOWS = """
[tables.teams]
source = "teams"
key = "id"
columns = { id = "int", badge = "json" }

[tables.players]
source = "players"
key = "id"
columns = { id = "int", team_id = "int", value = "int", tags = "json" }
references = { team = "team_id -> teams" }

[documents.player]
root = "players"

[documents.player.fields]
a_changer = { handler = "changer" }
badge = "team.badge"
tags = "tags"
value_told = { handler = "told" }
z_size = { handler = "size" }
"""
SETUP = """
CREATE TABLE teams (id INTEGER PRIMARY KEY, badge TEXT);
CREATE TABLE players (id INTEGER PRIMARY KEY, team_id INTEGER, value INTEGER, tags TEXT);
INSERT INTO teams VALUES (1, '{"colours": ["red"]}');
INSERT INTO players VALUES (1, 1, 1, '["new"]'), (2, 1, 1, '["old"]');
"""


@field(inputs={"badge": "team.badge", "tags": "tags"}, version=1)
def changer(badge: dict[str, Any], tags: list[str]) -> int:
    badge["colours"].append("blue")
    badge["of"] = tags
    tags.clear()
    return len(badge["colours"])


@field(inputs={"badge": "team.badge", "tags": "tags"}, version=1)
def size(badge: dict[str, Any], tags: list[str]) -> int:
    return 10 * len(badge["colours"]) + len(tags)


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def half_a_character() -> str:
    raise ValueError("half a character: \ud800")


def too_much() -> str:
    raise ValueError("x" * 1_000_000)


def speechless() -> str:
    raise Speechless


def leaves() -> str:
    sys.exit("I am done")


def with_told(bad: Callable[[], str]) -> list[ModuleType]:
    """An application whose field `told` calls `bad` for the value 2."""

    @field(inputs={"value": "value"}, version=1)
    def told(value: int) -> str:
        return bad() if value == 2 else f"it is {value}"

    module = ModuleType(__name__)
    vars(module).update(changer=changer, size=size, told=told)
    return [module]


@pytest.fixture
def players(tmp_path: Path) -> sqlite3.Connection:
    editor = sqlite3.connect(tmp_path / "players.db", isolation_level=None)
    editor.executescript(SETUP)
    return editor


def test_a_function_that_changes_its_arguments_changes_nothing_else(
    tmp_path: Path, players: sqlite3.Connection, whole: Any
) -> None:
    index: Whole = whole({"main": f"sqlite:///{tmp_path / 'players.db'}"}, loads(FLOWS), with_told(leaves))
    index.settle()
    for tags in ('["new"]', '["a", "b"]'):
        players.execute("UPDATE players SET tags = ? WHERE id = 1", (tags,))
        index.settle()
    fields = {line["id"]: line["fields"] for line in index.lines("player")}
    assert [fields[1]["badge"], fields[2]["badge"]] == [{"colours": ["red"]}] * 2
    assert [fields[1]["tags"], fields[2]["tags"]] == [["a", "b"], ["old"]]
    assert [fields[one]["a_changer"] for one in (1, 2)] == [2, 2], "the same each time"
    assert [fields[one]["z_size"] for one in (1, 2)] == [12, 11], "the others see what is stored"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (half_a_character, r"ValueError: half a character: \ud800"),
        (too_much, "ValueError: " + "x" * (DESCRIBED_MAX - 12) + "..."),
        (speechless, "Speechless: its text can't be had: it raises RuntimeError"),
        (leaves, "SystemExit: I am done"),
    ],
)
def test_whatever_it_raises_its_document_has_a_letter_and_the_others_go_on(
    tmp_path: Path, players: sqlite3.Connection, whole: Any, bad: Callable[[], str], reason: str
) -> None:
    index: Whole = whole({"main": f"sqlite:///{tmp_path / 'players.db'}"}, loads(FLOWS), with_told(bad))
    index.settle()
    players.execute("UPDATE players SET value = id + 1")
    index.settle()
    (letter,) = index.letters()
    assert (letter.subject, letter.column, letter.reason) == ("player/1", "value_told", reason)
    assert {line["id"]: line["fields"]["value_told"] for line in index.lines("player")} == {1: "it is 1", 2: "it is 3"}
    players.execute("UPDATE players SET value = 5 WHERE id = 1")
    index.settle()
    assert index.letters() == [] and index.errors() == []


@pytest.mark.parametrize("leave", [lambda: "of a child", lambda: sys.exit(3)], ids=["returns", "exits"])
def test_a_child_that_comes_back_into_the_index_ends_before_it_touches_it(
    tmp_path: Path, players: sqlite3.Connection, whole: Any, leave: Callable[[], str]
) -> None:
    children: list[int] = []

    def forks() -> str:
        children.append(os.fork())
        return f"forked {len(children)}" if children[-1] else leave()

    index: Whole = whole({"main": f"sqlite:///{tmp_path / 'players.db'}"}, loads(FLOWS), with_told(forks))
    index.settle()
    for value in (2, 3, 2):
        players.execute("UPDATE players SET value = ? WHERE id = 1", (value,))
        index.settle()
    assert {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children} == {70}
    assert {line["id"]: line["fields"]["value_told"] for line in index.lines("player")} == {
        1: f"forked {len(children)}", 2: "it is 1",
    }  # fmt: skip
    assert index.letters() == [] and index.errors() == []


def test_a_handler_that_ends_the_process_ends_its_own_call_only(
    tmp_path: Path, players: sqlite3.Connection, whole: Any
) -> None:
    @handler(observes=["players.value"], version=1)
    async def rank(ctx: HandlerContext, change: Change) -> None:
        row = await ctx.read(change.row)
        assert row is not None
        if row["value"] == 2:
            sys.exit(1)
        ctx.write(change.row, {"rank": row["value"]})

    module = ModuleType(__name__)
    vars(module).update(rank=rank, changer=changer, size=size)
    own = '\n[tables.players.derived]\nrank = { type = "int", handler = "rank" }\n\n[documents.player]'
    flows = FLOWS.replace("\n[documents.player]", own, 1).replace('{ handler = "told" }', '"rank"')
    index: Whole = whole({"main": f"sqlite:///{tmp_path / 'players.db'}"}, loads(flows), [module])
    index.settle()
    players.execute("UPDATE players SET value = id + 1")
    index.settle()
    assert [letter.subject for letter in index.letters()] == ["rank players/1"]
    assert {line["id"]: line["fields"]["value_told"] for line in index.lines("player")} == {1: 1, 2: 3}
