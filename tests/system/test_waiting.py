"""What `adsindex wait` says at any moment: when it says that all is servable, it is; what handlers write, too."""

import sqlite3
from pathlib import Path
from typing import Any

from argus.api import Change, HandlerContext, handler
from ops.waiting import Goal, missing, newest_stands
from proto.flows.loader import loads
from tests.support.functions import module_of

FLOWS = """
[tables.teams]
source = "teams"
key = "id"
columns = { id = "int", goals = "int" }
derived = { points = { type = "int", handler = "count_points" } }

[tables.tables]
key = "id"
handler = "rank_team"
columns = { id = "int", points = "int" }

[tables.players]
source = "players"
key = "id"
columns = { id = "int", team_id = "int" }
references = { team = "team_id -> teams", table = "team_id -> tables" }

[documents.player]
root = "players"

[documents.player.fields]
goals = "team.goals"
points = "team.points"
rank = "table.points"
"""
PLAYERS = 600


@handler(observes=["teams.goals"], version=1)
async def count_points(ctx: HandlerContext, change: Change) -> None:
    row = await ctx.read(change.row)
    ctx.write(change.row, {"points": row["goals"] * 3 if row else None})


@handler(observes=["teams.points"], version=1)
async def rank_team(ctx: HandlerContext, change: Change) -> None:
    row = await ctx.read(change.row)
    ctx.write(ctx.row("tables", *change.row.key), {"points": row["points"] if row else None})


def test_what_handlers_write_for_a_change_is_waited_for(tmp_path: Path, whole: Any) -> None:
    """Two of them, one after the other, each with more documents behind its row than are built at once. Asked after
    each turn: on a fast disk all has come to rest before anybody asks."""
    editor = sqlite3.connect(tmp_path / "club.db", isolation_level=None)
    editor.executescript(
        "CREATE TABLE teams (id INTEGER PRIMARY KEY, goals INTEGER);"
        "CREATE TABLE players (id INTEGER PRIMARY KEY, team_id INTEGER); INSERT INTO teams VALUES (1, 0)"
    )
    editor.executemany("INSERT INTO players VALUES (?, 1)", [(number,) for number in range(PLAYERS)])
    sources = {"main": f"sqlite:///{tmp_path / 'club.db'}"}
    index = whole(sources, loads(FLOWS), [module_of(count_points, rank_team)])
    index.settle()
    for goals in (1, 2, 3):
        editor.execute("UPDATE teams SET goals = ?", (goals,))
        goal = Goal(newest_stands(sources))
        while missing(index.data, goal):
            index.turn()
        served = [document.fields for document in index.served("player").values()]
        assert served == [{"goals": goals, "points": 3 * goals, "rank": 3 * goals}] * PLAYERS
    editor.close()
