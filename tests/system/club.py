"""A club's players, their teams and goals: the smallest application with a reference, a collection, three lanes."""

import sqlite3
from pathlib import Path

FLOWS = """
[tables.teams]
source = "teams"
key = "id"
columns = { id = "int", name = "str", weight = "float" }
lanes = { weight = "low" }

[tables.players]
source = "players"
key = ["club", "number"]
columns = { club = "str", number = "int", team_id = "int", shirt = "str", value = "int" }
references = { team = "team_id -> teams" }
collections = { goals = "goals.(club, number) order by minute limit 3" }

[tables.goals]
source = "goals"
key = "id"
lane = "medium"
columns = { id = "int", club = "str", number = "int", minute = "int" }

[documents.player]
root = "players"
servable = "value > 0 and team.name is not null"

[documents.player.fields]
shirt = "shirt"
value = "value"
team = "team.name"
weight = "team.weight"
goals = "goals.id"
minutes = "goals.minute"
"""
TABLES = {
    "teams": "id INTEGER PRIMARY KEY, name TEXT UNIQUE, weight REAL",
    "players": "club TEXT COLLATE NOCASE, number INTEGER, team_id INTEGER, shirt TEXT UNIQUE, value INTEGER, "
    "PRIMARY KEY (club, number)) WITHOUT ROWID",
    "goals": "id INTEGER PRIMARY KEY, club TEXT, number INTEGER, minute INTEGER",
}


def created(name: str, columns: str) -> str:
    return f"CREATE TABLE {name} ({columns}" + ("" if columns.endswith("ROWID") else ")")


def club(path: Path) -> sqlite3.Connection:
    """A new database with one team, two of its players, and a goal."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    connection.execute("PRAGMA journal_mode = WAL")
    for name, columns in TABLES.items():
        connection.execute(created(name, columns))
    connection.execute("INSERT INTO teams VALUES (1, 'Reds', 2.5)")
    connection.execute("INSERT INTO players VALUES ('a', 1, 1, 's1', 10), ('a', 2, 1, 's2', 20)")
    connection.execute("INSERT INTO goals VALUES (1, 'a', 1, 45)")
    return connection
