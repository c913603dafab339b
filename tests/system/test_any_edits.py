"""Any edits in any order, schema changes among them: after each, every document equals the join (hypothesis)."""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ops.demo.compare import Document, compare_documents
from proto.flows.loader import loads
from tests.support.whole import Whole
from tests.system.club import FLOWS, TABLES, created

PLAYERS = """
    SELECT p.club, p.number, p.shirt, p.value, t.name AS team, t.weight, coalesce(p.value > 0 AND t.name IS NOT NULL, 0)
    FROM players p LEFT JOIN teams t ON t.id = p.team_id"""
GOALS = """
    SELECT id, minute FROM goals WHERE club = ? COLLATE BINARY AND number = ? ORDER BY minute, id LIMIT 3"""
BAD = "not a number"

small = st.integers(0, 3)
clubs = st.sampled_from(["a", "b", "", "é"])
numbers = st.one_of(st.none(), st.integers(-2, 2), st.sampled_from([2**63 - 1, -(2**63)]))
texts = st.one_of(st.none(), st.sampled_from(["", "x", "y", "🏟"]))
rows = {
    "teams": st.tuples(small, texts, st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))),
    "players": st.tuples(clubs, small, st.one_of(st.none(), small), texts, numbers),
    "goals": st.tuples(st.integers(0, 8), clubs, st.one_of(st.none(), small), numbers),
}
STATEMENTS = {
    "INSERT OR REPLACE INTO teams VALUES (?, ?, ?)": rows["teams"],
    "INSERT OR REPLACE INTO players VALUES (?, ?, ?, ?, ?)": rows["players"],
    "INSERT OR REPLACE INTO goals VALUES (?, ?, ?, ?)": rows["goals"],
    "UPDATE OR REPLACE players SET club = ?, number = ? WHERE number = ?": st.tuples(clubs, small, small),
    "UPDATE players SET team_id = ?, value = ? WHERE number = ?": st.tuples(small, numbers, small),
    "UPDATE OR IGNORE teams SET name = ?": st.tuples(texts),
    "UPDATE OR REPLACE teams SET id = ? WHERE id = ?": st.tuples(small, small),
    "UPDATE goals SET number = ?, minute = ? WHERE id > ?": st.tuples(small, numbers, small),
    "DELETE FROM teams WHERE id = ?": st.tuples(small),
    "DELETE FROM players WHERE number = ?": st.tuples(small),
    "DELETE FROM goals WHERE id < ?": st.tuples(st.integers(0, 8)),
    "DELETE FROM goals": st.just(()),
    "DELETE FROM players": st.just(()),
    "UPDATE players SET shirt = NULL": st.just(()),
}
changes = st.one_of(*(st.tuples(st.just(sql), values) for sql, values in STATEMENTS.items()))


class AnyEdits(RuleBasedStateMachine):
    """The database, and the whole way behind it."""

    @initialize(first=st.lists(changes, max_size=5), settled=st.booleans())
    def begin(self, first: list[tuple[str, Any]], settled: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "club.db"
        self.editor = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        self.editor.execute("PRAGMA journal_mode = WAL")
        self.editor.execute("PRAGMA synchronous = OFF")
        for name, columns in TABLES.items():
            self.editor.execute(created(name, columns))
        self.transaction(first, True)
        self.added = self.gone = 0
        self.whole = Whole(path.parent / "data", {"main": f"sqlite:///{path}"}, loads(FLOWS))
        if settled:
            self.whole.settle()

    @rule(statements=st.lists(changes, min_size=1, max_size=4), kept=st.booleans() | st.just(True))
    def transaction(self, statements: Sequence[tuple[str, Any]], kept: bool) -> None:
        self.editor.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            self.editor.execute(*self.widened(sql, values))
        self.editor.execute("COMMIT" if kept else "ROLLBACK")

    @rule(turns=st.integers(1, 5))
    def some_turns(self, turns: int) -> None:
        for _ in range(turns):
            self.whole.turn()

    @rule()
    def killed(self) -> None:
        self.whole.restart()

    @rule(table=st.sampled_from(list(TABLES)))
    def column_added(self, table: str) -> None:
        self.added += 1
        self.editor.execute(f"ALTER TABLE {table} ADD COLUMN extra{self.added} TEXT DEFAULT 'd'")

    @rule(table=st.sampled_from(list(TABLES)), renamed=st.booleans())
    def column_dropped_or_renamed(self, table: str, renamed: bool) -> None:
        extras = [name for name in self.columns(table) if name.startswith("extra")]
        if extras:
            self.added += 1
            change = f"RENAME COLUMN {extras[0]} TO extra{self.added}" if renamed else f"DROP COLUMN {extras[0]}"
            self.editor.execute(f"ALTER TABLE {table} {change}")

    @rule(table=st.sampled_from(list(TABLES)), statement=st.lists(changes, max_size=1), settled=st.booleans())
    def table_rebuilt(self, table: str, statement: list[tuple[str, Any]], settled: bool) -> None:
        """As migration tools do it; our triggers are gone, edits follow at once."""
        names = ", ".join(name for name in self.columns(table) if not name.startswith("extra"))
        self.editor.execute("BEGIN IMMEDIATE")
        self.editor.execute(created(f"new_{table}", TABLES[table]))
        self.editor.execute(f"INSERT INTO new_{table} SELECT {names} FROM {table}")
        self.editor.execute(f"DROP TABLE {table}")
        self.editor.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
        self.editor.execute("COMMIT")
        if settled:
            self.whole.settle()
        self.transaction(statement, True)

    @rule()
    def triggers_lost(self) -> None:
        for (name,) in self.editor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self.editor.execute(f'DROP TRIGGER "{name}"')

    @rule(settled=st.booleans())
    def used_column_away_and_back(self, settled: bool) -> None:
        self.editor.execute("ALTER TABLE players RENAME COLUMN value TO worth")
        if settled:
            self.whole.settle()
        self.editor.execute("UPDATE players SET worth = 7 WHERE number = 1")
        self.editor.execute("ALTER TABLE players RENAME COLUMN worth TO value")

    @rule(club=clubs, number=small)
    def bad_value(self, club: str, number: int) -> None:
        self.editor.execute("UPDATE players SET value = ? WHERE club = ? AND number = ?", (BAD, club, number))

    @rule()
    def compared(self) -> None:
        self.whole.settle()
        bad = set(self.editor.execute("SELECT club, number FROM players WHERE value = ?", (BAD,)))
        for found in (self.whole.documents("player"), self.whole.served("player")):
            wrong = [one for one in compare_documents(self.expected(), found) if one.id not in bad]
            assert wrong == [], wrong
        letters = self.whole.letters()
        assert {(letter.table, letter.column) for letter in letters} <= {("players", "value")}
        assert len(letters) == len(bad)
        for line in self.whole.lines("player"):
            assert bool(set(line["missing"]) - {"team"}) == (tuple(line["id"]) in bad), line

    def teardown(self) -> None:
        try:
            self.compared()
        finally:
            self.whole.close()
            self.editor.close()
            self.folder.cleanup()

    def columns(self, table: str) -> list[str]:
        return [row[1] for row in self.editor.execute(f"PRAGMA table_info({table})")]

    def widened(self, sql: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """INSERT names its columns, since others may have been added."""
        for table, columns in TABLES.items():
            head = f"INTO {table} VALUES"
            if head in sql:
                names = [part.split()[0] for part in columns.split(", ")[: len(values)]]
                return sql.replace(head, f"INTO {table} ({', '.join(names)}) VALUES"), values
        return sql, values

    def expected(self) -> Iterator[Document]:
        names = ("shirt", "value", "team", "weight")
        for club, number, *values, servable in self.editor.execute(PLAYERS).fetchall():
            goals = self.editor.execute(GOALS, (club, number)).fetchall()
            lists = {"goals": [goal for goal, _ in goals], "minutes": [minute for _, minute in goals]}
            yield Document((club, number), dict(zip(names, values, strict=True)) | lists, bool(servable))


TestAnyEdits = AnyEdits.TestCase
TestAnyEdits.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
