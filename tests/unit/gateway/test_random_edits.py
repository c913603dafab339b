"""Random edits, schema changes and kills against a mirror that is made from the units alone."""

import sqlite3
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proto.lane import Lane
from tests.support.source import World, flows_of, table

FLOWS = flows_of(
    table("ads", {"id": "int", "bid": "int", "slug": "str"}),
    table("tags", {"name": "str", "ad": "int", "weight": "int"}, key=("name", "ad"), lane=Lane.LOW),
    table("owners", {"mail": "str", "age": "int"}, key=("mail",), lane=Lane.MEDIUM),
    table("debit", {"id": "int", "amount": "int"}),
    table("credit", {"id": "int", "amount": "int"}, lane=Lane.LOW),
)
ADS = "(id INTEGER PRIMARY KEY, bid INTEGER, slug TEXT UNIQUE, note TEXT)"
SETUP = f"""
CREATE TABLE ads{ADS};
CREATE TABLE tags(ad INTEGER, name TEXT, weight INTEGER, PRIMARY KEY (ad, name)) WITHOUT ROWID;
CREATE UNIQUE INDEX one_tag_of_a_weight ON tags(weight) WHERE ad < 3;
CREATE TABLE owners(mail TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, age INTEGER);
CREATE UNIQUE INDEX one_owner_a_decade ON owners(age / 10);
CREATE TABLE debit(id INTEGER PRIMARY KEY, amount INTEGER);
CREATE TABLE credit(id INTEGER PRIMARY KEY, amount INTEGER);
INSERT INTO ads VALUES (1, 1, 'a', ''), (2, 2, 'b', ''), (3, 3, NULL, ''), (4, 4, NULL, '');
INSERT INTO tags VALUES (1, 'x', 1), (2, 'y', 2);
INSERT INTO owners VALUES ('Ann', 10), ('bob', 20);
INSERT INTO debit VALUES (1, 0), (2, 0);
INSERT INTO credit VALUES (1, 0), (2, 0);
"""
ids, numbers = st.integers(1, 6), st.integers(0, 40)
slugs = st.sampled_from(["a", "b", "c", "A", None])
mails = st.sampled_from(["Ann", "ann", "bob", "Bob", "cy"])
verbs = st.sampled_from(["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
changes = st.sampled_from(["UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"])


class Edits(RuleBasedStateMachine):
    dropped = False

    @initialize(journal=st.sampled_from(["wal", "delete"]), rows=st.sampled_from([1, 2, 7, 1000]))
    def start(self, journal: str, rows: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), FLOWS, SETUP, journal, read_rows_max=rows, trim_rows=5)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.drained()
            self.world.close()
            self.folder.cleanup()

    def sql(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """One transaction; a constraint that is violated undoes its statement."""
        self.world.sql("BEGIN IMMEDIATE")
        for text, values in statements:
            try:
                self.world.editor.execute(text, values)
            except sqlite3.IntegrityError:
                continue
        self.world.sql("COMMIT")

    @rule(verb=verbs, key=ids, bid=numbers, slug=slugs)
    def put_ad(self, verb: str, key: int, bid: int, slug: str | None) -> None:
        self.sql((f"{verb} INTO ads VALUES (?, ?, ?, 'n')", (key, bid, slug)))

    @rule(verb=changes, key=ids, to=ids, slug=slugs)
    def move_ad(self, verb: str, key: int, to: int, slug: str | None) -> None:
        self.sql((f"{verb} ads SET id = ?, slug = ? WHERE id = ?", (to, slug, key)))

    @rule(verb=verbs, key=ids, name=slugs, weight=numbers)
    def put_tag(self, verb: str, key: int, name: str | None, weight: int) -> None:
        self.sql((f"{verb} INTO tags VALUES (?, ?, ?)", (key, name, weight)))

    @rule(verb=changes, key=ids, to=ids, weight=numbers)
    def move_tags(self, verb: str, key: int, to: int, weight: int) -> None:
        self.sql((f"{verb} tags SET ad = ?, weight = ? WHERE ad = ?", (to, weight, key)))

    @rule(verb=verbs, mail=mails, age=numbers)
    def put_owner(self, verb: str, mail: str, age: int) -> None:
        self.sql((f"{verb} INTO owners VALUES (?, ?)", (mail, age)))

    @rule(verb=changes, mail=mails, to=mails, age=numbers)
    def move_owner(self, verb: str, mail: str, to: str, age: int) -> None:
        self.sql((f"{verb} owners SET mail = ?, age = ? WHERE mail = ?", (to, age, mail)))

    @rule(key=ids, mail=mails)
    def delete(self, key: int, mail: str) -> None:
        self.sql(
            ("DELETE FROM ads WHERE id = ?", (key,)),
            ("DELETE FROM tags WHERE ad = ?", (key,)),
            ("DELETE FROM owners WHERE mail = ?", (mail,)),
        )

    @rule(key=st.integers(1, 2), amount=numbers)
    def pay(self, key: int, amount: int) -> None:
        self.sql(
            ("UPDATE debit SET amount = ? WHERE id = ?", (amount, key)),
            ("UPDATE credit SET amount = ? WHERE id = ?", (amount, key)),
        )

    @rule(bid=numbers)
    def rebuild_ads_as_migrations_do(self, bid: int) -> None:
        """Its rows change on the way, without any trigger."""
        used = self.bid_name()
        columns = ADS.replace("bid", used)
        self.world.sql(
            "BEGIN IMMEDIATE",
            f"CREATE TABLE made_again{columns}",
            f"INSERT INTO made_again SELECT id, {used} + {bid}, slug, note FROM ads WHERE id <> 2",
            "DROP TABLE ads",
            "ALTER TABLE made_again RENAME TO ads",
            "COMMIT",
        )

    @rule()
    def rename_the_used_column_or_back(self) -> None:
        to = "bid" if self.bid_name() == "price" else "price"
        self.world.sql(f"ALTER TABLE ads RENAME COLUMN {self.bid_name()} TO {to}")

    @rule()
    def change_the_schema_in_ways_that_mean_nothing(self) -> None:
        self.world.sql(
            "ALTER TABLE credit RENAME TO credit_before",
            "ALTER TABLE credit_before RENAME TO credit",
            "ALTER TABLE owners ADD COLUMN spare",
            "ALTER TABLE owners DROP COLUMN spare",
            "CREATE TABLE staging(x)",
            "DROP TABLE staging",
        )

    @rule(value=numbers)
    def drop_and_add_a_used_column(self, value: int) -> None:
        """Every row changes, and the schema looks the same after it."""
        self.dropped = True
        self.world.sql("ALTER TABLE debit DROP COLUMN amount", f"ALTER TABLE debit ADD COLUMN amount DEFAULT {value}")
        self.world.sql("ALTER TABLE credit DROP COLUMN amount", f"ALTER TABLE credit ADD COLUMN amount DEFAULT {value}")

    @rule(value=numbers)
    def drop_a_unique_index(self, value: int) -> None:
        self.world.sql("DROP INDEX IF EXISTS one_tag_of_a_weight", f"UPDATE tags SET weight = {value}")

    @rule(which=st.sampled_from(["insert", "update", "delete", "replace"]), key=ids)
    def lose_a_trigger(self, which: str, key: int) -> None:
        self.world.sql(f"DROP TRIGGER IF EXISTS adsindex_ads_{which}")
        self.sql(("DELETE FROM ads WHERE id = ?", (key,)))

    @rule()
    def vacuum(self) -> None:
        self.world.gateway.close()  # a reader would lock it out
        self.world.sql("VACUUM")

    @rule(budget=st.sampled_from([0, 1, 2, 100]))
    def step(self, budget: int) -> None:
        self.world.gateway.step(budget)

    @rule(budget=st.sampled_from([1, 100]))
    def step_that_is_undone(self, budget: int) -> None:
        try:
            with self.world.log.group():
                self.world.gateway.step(budget)
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    @rule()
    def kill(self) -> None:
        self.world.restart()

    @rule()
    def trim(self) -> None:
        self.world.gateway.trim()

    @rule()
    def compare(self) -> None:
        self.world.gateway.compare("owners")
        self.world.gateway.compare("tags", keys=[("a", 1), ("b", 2)])
        self.world.gateway.compare("debit", after=(1,), through=(2,))

    @rule()
    def drained(self) -> None:
        self.world.drain(3)
        assert not self.world.differences()

    @precondition(lambda self: hasattr(self, "world") and not self.dropped)
    @invariant()
    def money_is_neither_made_nor_lost_in_between(self) -> None:
        """Their edits are always one transaction; a column that is dropped in one, then in the other, is not."""
        mirror = self.world.mirror
        mirror.pull()
        if any(unit.kind == "done" and unit.first for unit in mirror.units):
            assert mirror.values("debit") == mirror.values("credit")

    def bid_name(self) -> str:
        columns = self.world.editor.execute("SELECT name FROM pragma_table_info('ads')").fetchall()
        return "price" if ("price",) in columns else "bid"


TestEdits = Edits.TestCase
TestEdits.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
