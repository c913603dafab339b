"""What the triggers log, seen through the units: every way in which a row can go, come or move."""

from collections.abc import Callable

import pytest

from proto.flows.model import Flows
from tests.support.source import World, flows_of, table

Worlds = Callable[..., World]
ADS = flows_of(table("ads", {"id": "int", "slug": "str"}))


def attached(world: Worlds, flows: Flows, setup: str) -> World:
    made = world(flows, setup)
    made.drain()
    return made


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
def test_insert_or_replace_logs_the_row_that_stood_in_the_way(world: Worlds, verb: str) -> None:
    shop = attached(
        world, ADS, "CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT UNIQUE); INSERT INTO ads VALUES (1, 'a')"
    )
    shop.sql(f"{verb} INTO ads VALUES (2, 'a')")
    (unit,) = shop.drain()
    assert unit.tables[0].deleted == [(1,)] and unit.tables[0].rows == [(2, "a")]


def test_a_conflict_clause_of_the_table_does_the_same(world: Worlds) -> None:
    shop = attached(
        world,
        ADS,
        """CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT UNIQUE ON CONFLICT REPLACE);
    INSERT INTO ads VALUES (1, 'a')""",
    )
    shop.sql("INSERT INTO ads VALUES (2, 'a')")
    shop.drain()
    assert not shop.differences()


def test_update_or_replace_logs_the_row_that_stood_in_the_way(world: Worlds) -> None:
    setup = "CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT UNIQUE); INSERT INTO ads VALUES (1, 'a'), (2, 'b')"
    shop = attached(world, ADS, setup)
    shop.sql("UPDATE OR REPLACE ads SET slug = 'a' WHERE id = 2")
    shop.drain()
    assert not shop.differences() and shop.mirror.values("ads") == [(2, "a")]


def test_one_replace_may_remove_several_rows(world: Worlds) -> None:
    setup = """CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT UNIQUE, other TEXT UNIQUE);
    INSERT INTO ads VALUES (1, 'a', 'x'), (2, 'b', 'y')"""
    shop = attached(world, ADS, setup)
    shop.sql("REPLACE INTO ads VALUES (3, 'a', 'y')")
    shop.drain()
    assert shop.mirror.values("ads") == [(3, "a")]


def test_null_in_a_unique_column_stands_in_nobodys_way(world: Worlds) -> None:
    setup = "CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT UNIQUE); INSERT INTO ads VALUES (1, NULL), (2, NULL)"
    shop = attached(world, ADS, setup)
    shop.sql("REPLACE INTO ads VALUES (3, NULL)")
    (unit,) = shop.drain()
    assert unit.position - unit.begin == 1 and not shop.differences()


@pytest.mark.parametrize(
    "index",
    [
        "ads(lower(slug))",
        "ads(slug COLLATE NOCASE DESC)",
        "ads(slug || 'x(,' , id IS NULL) WHERE slug <> 'WHERE (' AND id > 0",
        '"ads"(substr("slug", 1, 1) COLLATE NOCASE) WHERE id < 100 -- a comment, (',
    ],
)
def test_unique_indexes_on_expressions_with_collations_and_conditions(world: Worlds, index: str) -> None:
    setup = f"""CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT); CREATE UNIQUE INDEX one ON {index}
    ; INSERT INTO ads VALUES (1, 'a')"""
    shop = attached(world, ADS, setup)
    other = "A" if "NOCASE" in index or "lower" in index else "a"
    shop.sql(f"REPLACE INTO ads VALUES (2, '{other}')")
    shop.drain()
    assert not shop.differences() and shop.mirror.values("ads") == [(2, other)]
    shop.sql("INSERT INTO ads VALUES (3, 'z')", f"UPDATE OR REPLACE ads SET slug = '{other}' WHERE id = 3")
    shop.drain()
    assert not shop.differences() and shop.mirror.values("ads") == [(3, other)]


def test_a_row_that_comes_under_the_condition_of_a_unique_index(world: Worlds) -> None:
    setup = """CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT, live INT);
    CREATE UNIQUE INDEX one ON ads(slug) WHERE live; INSERT INTO ads VALUES (1, 'a', 1), (2, 'a', 0), (3, 'a', 0)"""
    shop = attached(world, ADS, setup)
    shop.sql("UPDATE OR REPLACE ads SET live = 1 WHERE id = 2")
    (unit,) = shop.drain()
    assert unit.tables[0].deleted == [(1,)] and not shop.differences()
    assert unit.position - unit.begin == 2, "rows outside of the condition stand in nobody's way"


def test_the_key_of_the_flows_file_may_be_another_unique_column(world: Worlds) -> None:
    flows = flows_of(table("ads", {"slug": "str", "id": "int"}, key=("slug",)))
    setup = "CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE); INSERT INTO ads VALUES (1, 'a')"
    shop = attached(world, flows, setup)
    shop.sql("REPLACE INTO ads VALUES (1, 'b')")
    (unit,) = shop.drain()
    assert unit.tables[0].deleted == [("a",)] and not shop.differences()


def test_composite_keys_of_a_table_without_rowid(world: Worlds) -> None:
    flows = flows_of(table("tags", {"ad": "int", "name": "str", "weight": "int"}, key=("name", "ad")))
    setup = """CREATE TABLE tags(ad INTEGER, name TEXT, weight INTEGER, PRIMARY KEY (ad, name)) WITHOUT ROWID;
    INSERT INTO tags VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3)"""
    shop = attached(world, flows, setup)
    shop.sql(
        "UPDATE tags SET name = 'z' WHERE weight = 1",
        "DELETE FROM tags WHERE ad = 2",
        "REPLACE INTO tags VALUES (1, 'y', 9)",
    )
    (unit,) = shop.drain()
    assert sorted(unit.tables[0].deleted) == [("x", 1), ("x", 2)] and not shop.differences()


def test_text_keys_that_differ_by_case_only(world: Worlds) -> None:
    flows = flows_of(table("owners", {"mail": "str", "age": "int"}, key=("mail",)))
    setup = """CREATE TABLE owners(mail TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, age INTEGER);
    INSERT INTO owners VALUES ('Ann', 1)"""
    shop = attached(world, flows, setup)
    shop.sql("UPDATE owners SET mail = 'ANN'")
    shop.drain()
    assert shop.mirror.values("owners") == [("ANN", 1)]
    shop.sql("REPLACE INTO owners VALUES ('ann', 2)")
    shop.drain()
    assert shop.mirror.values("owners") == [("ann", 2)]


def test_a_table_without_a_key_by_its_rowid(world: Worlds) -> None:
    flows = flows_of(table("notes", {"rowid": "int", "text": "str"}, key=("rowid",)))
    shop = attached(world, flows, "CREATE TABLE notes(text); INSERT INTO notes VALUES ('a'), ('b')")
    shop.sql("UPDATE notes SET text = 'c' WHERE rowid = 1", "DELETE FROM notes WHERE rowid = 2")
    shop.drain()
    assert shop.mirror.values("notes") == [(1, "c")]


def test_deletes_by_a_foreign_key_and_by_the_users_own_trigger(world: Worlds) -> None:
    flows = flows_of(table("ads", {"id": "int", "slug": "str"}), table("tags", {"id": "int", "ad": "int"}))
    setup = """CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT);
    CREATE TABLE tags(id INTEGER PRIMARY KEY, ad INTEGER REFERENCES ads ON DELETE CASCADE);
    CREATE TRIGGER theirs AFTER INSERT ON tags BEGIN UPDATE ads SET slug = 'tagged' WHERE id = NEW.ad; END;
    INSERT INTO ads VALUES (1, 'a'), (2, 'b'); INSERT INTO tags VALUES (1, 1), (2, 2)"""
    shop = attached(world, flows, setup)
    shop.sql("PRAGMA foreign_keys = ON", "DELETE FROM ads WHERE id = 1", "INSERT INTO tags VALUES (3, 2)")
    shop.drain()
    assert not shop.differences() and shop.mirror.values("tags") == [(2, 2), (3, 2)]


def test_upserts_returning_and_the_editors_own_counters_are_as_before(world: Worlds) -> None:
    setup = "CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT UNIQUE); INSERT INTO ads VALUES (7, 'a')"
    shop = attached(world, ADS, setup)
    row = shop.editor.execute("INSERT INTO ads(slug) VALUES ('b') RETURNING id").fetchall()
    assert row == [(8,)] and shop.editor.execute("SELECT last_insert_rowid(), changes()").fetchone() == (8, 1)
    shop.sql("INSERT INTO ads VALUES (9, 'a') ON CONFLICT (slug) DO UPDATE SET slug = 'c'")
    shop.drain()
    assert not shop.differences()


def test_names_that_need_quotes(world: Worlds) -> None:
    flows = flows_of(table("od'd", {'i"d': "int", "select": "str"}, key=('i"d',), source_table="my ads"))
    setup = """CREATE TABLE "my ads"("i""d" INTEGER PRIMARY KEY, "select" TEXT UNIQUE);
    INSERT INTO "my ads" VALUES (1, 'a')"""
    shop = attached(world, flows, setup)
    shop.sql("REPLACE INTO \"my ads\" VALUES (2, 'a')")
    shop.drain()
    assert shop.mirror.values("od'd") == [(2, "a")]


def test_triggers_name_no_column_that_the_user_may_drop(world: Worlds) -> None:
    setup = """CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT, bid INTEGER, title TEXT);
    INSERT INTO ads VALUES (1, 'a', 1, 't')"""
    shop = attached(world, ADS, setup)
    shop.sql(
        "ALTER TABLE ads DROP COLUMN bid", "ALTER TABLE ads RENAME COLUMN title TO name", "UPDATE ads SET slug = 'b'"
    )
    shop.drain()
    assert not shop.differences()


def test_detach_leaves_nothing_behind(world: Worlds) -> None:
    shop = attached(world, ADS, "CREATE TABLE ads(id INTEGER PRIMARY KEY, slug TEXT UNIQUE)")
    assert len(shop.editor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'adsindex%'").fetchall()) == 7
    shop.gateway._capture.detach()
    assert shop.editor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'adsindex%'").fetchall() == []
