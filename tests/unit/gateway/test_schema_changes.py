"""The user's schema changes under a running gateway: parked tables, tables made again, lost triggers, new columns."""

from collections.abc import Callable

import pytest

from proto.lane import Lane
from tests.support.source import World, flows_of, table

ADS = table("ads", {"id": "int", "bid": "int"})
TAGS = table("tags", {"id": "int", "ad": "int"}, lane=Lane.LOW)
SETUP = """CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER, title TEXT DEFAULT 'none');
CREATE TABLE tags(id INTEGER PRIMARY KEY, ad INTEGER);
INSERT INTO ads(id, bid) VALUES (1, 10), (2, 20), (3, 30); INSERT INTO tags VALUES (1, 1)"""
Worlds = Callable[..., World]


@pytest.fixture
def shop(world: Worlds) -> World:
    made = world(flows_of(ADS, TAGS), SETUP)
    made.drain()
    return made


def rebuild(shop: World, select: str = "SELECT * FROM ads") -> None:
    shop.sql(
        "BEGIN",
        "CREATE TABLE fresh(id INTEGER PRIMARY KEY, bid INTEGER, title TEXT)",
        f"INSERT INTO fresh {select}",
        "DROP TABLE ads",
        "ALTER TABLE fresh RENAME TO ads",
        "COMMIT",
    )


def test_a_table_made_again_is_compared_and_captured_again(shop: World) -> None:
    rebuild(shop, "SELECT id, bid + 1, title FROM ads WHERE id <> 2")
    units = shop.drain()
    assert not shop.differences()
    assert {(unit.kind, unit.first) for unit in units} == {("chunk", False), ("done", False)}
    shop.sql("UPDATE ads SET bid = 99 WHERE id = 1", "DELETE FROM ads WHERE id = 3")
    assert [unit.kind for unit in shop.drain()] == ["stream"]
    assert not shop.differences()


def test_a_table_made_again_with_its_triggers_is_noticed_too(shop: World) -> None:
    """Some migration tools put all triggers back."""
    texts = shop.editor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ads'").fetchall()
    rebuild(shop, "SELECT id, bid * 2, title FROM ads WHERE id <> 1")
    shop.sql(*[text for (text,) in texts])
    shop.drain()
    assert not shop.differences()


def test_a_table_made_again_while_nobody_ran(shop: World) -> None:
    rebuild(shop, "SELECT id, bid * 2, title FROM ads WHERE id <> 1")
    shop.restart()
    shop.drain()
    assert not shop.differences()


def test_lost_triggers_are_installed_again_and_what_they_missed_is_found(shop: World) -> None:
    triggers = shop.editor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name").fetchall()
    shop.sql(
        *[f"DROP TRIGGER {name}" for (name,) in triggers], "DELETE FROM ads WHERE id = 1", "UPDATE tags SET ad = 3"
    )
    shop.drain()
    assert not shop.differences()
    assert (
        shop.editor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name").fetchall()
        == triggers
    )


def test_a_kill_between_installing_triggers_and_comparing(shop: World) -> None:
    """The new process finds everything in place, and still knows that it was not always so."""
    shop.sql("DROP TRIGGER adsindex_ads_delete", "DELETE FROM ads WHERE id = 1", "CREATE TABLE unrelated(x)")
    with pytest.raises(ZeroDivisionError), shop.log.group():
        shop.gateway.step(0)
        raise ZeroDivisionError
    shop.restart()
    shop.drain()
    assert not shop.differences()


def test_a_column_dropped_and_added_again_leaves_no_other_trace(world: Worlds) -> None:
    shop = world(flows_of(ADS), "CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER); INSERT INTO ads VALUES (1, 1)")
    shop.drain()
    schema = shop.editor.execute("SELECT * FROM sqlite_master").fetchall()
    shop.sql("ALTER TABLE ads DROP COLUMN bid", "ALTER TABLE ads ADD COLUMN bid INTEGER", "VACUUM")
    assert shop.editor.execute("SELECT * FROM sqlite_master").fetchall() == schema
    shop.drain()
    assert not shop.differences() and shop.mirror.values("ads") == [(1, None)]


def test_other_schema_changes_read_nothing_again(shop: World) -> None:
    shop.sql("CREATE TABLE unrelated(x)", "CREATE INDEX i ON ads(bid)", "UPDATE ads SET bid = 1 WHERE id = 1")
    assert [unit.kind for unit in shop.drain()] == ["stream"]


@pytest.mark.parametrize(
    ("change", "back", "told"),
    [
        ("ALTER TABLE ads RENAME COLUMN bid TO price", "ALTER TABLE ads RENAME COLUMN price TO bid", "'bid'.*price"),
        (
            "ALTER TABLE ads DROP COLUMN bid",
            "ALTER TABLE ads ADD COLUMN bid DEFAULT 7",
            "'bid'.*[tables.ads] in the flows",
        ),
        ("ALTER TABLE ads RENAME TO adverts", "ALTER TABLE adverts RENAME TO ads", "'ads'.*did you mean 'adverts'"),
    ],
)
def test_a_used_name_that_is_gone_parks_its_table_only(shop: World, change: str, back: str, told: str) -> None:
    shop.sql(change, "UPDATE tags SET ad = 2")
    units = shop.drain()
    (parked,) = [unit for unit in units if unit.kind == "parked"]
    assert parked.names == ("ads",)
    assert all(part in parked.reason for part in told.split(".*"))
    assert not shop.differences(), "the other table goes on"
    shop.sql("UPDATE tags SET ad = 3")
    assert [unit.kind for unit in shop.drain()] == ["stream"]
    shop.restart()
    assert shop.drain() == [], "told once"
    shop.sql(back, "DELETE FROM ads WHERE id = 1")
    kinds = [unit.kind for unit in shop.drain()]
    assert kinds[0] == "unparked" and kinds.count("done") == 1
    assert not shop.differences() and not shop.mirror.parked


def test_a_table_that_is_missing_from_the_start_does_not_hold_the_others(world: Worlds) -> None:
    shop = world(flows_of(ADS, TAGS, table("later", {"id": "int"})), SETUP)
    done = [unit for unit in shop.drain() if unit.kind == "done"]
    assert [(unit.names, unit.first) for unit in done] == [(("ads", "tags"), True)]
    shop.sql("CREATE TABLE later(id INTEGER PRIMARY KEY)", "INSERT INTO later VALUES (5)")
    done = [unit for unit in shop.drain() if unit.kind == "done"]
    assert [(unit.names, unit.first) for unit in done] == [(("later",), False)], "documents are live: they are notified"
    assert not shop.differences()


def test_a_late_table_that_loses_its_triggers_before_it_is_read_is_still_late(world: Worlds) -> None:
    """Found by hypothesis: it was read again as rows that nobody has seen, without notifications; no document came."""
    shop = world(flows_of(ADS, TAGS, table("later", {"id": "int"})), SETUP)
    shop.drain()
    shop.sql("CREATE TABLE later(id INTEGER PRIMARY KEY)", "INSERT INTO later VALUES (5)")
    shop.gateway.step(0)
    shop.restart()
    shop.sql("DROP TRIGGER adsindex_later_insert")
    done = [(unit.names, unit.first) for unit in shop.drain() if unit.kind == "done"]
    assert done == [(("later",), False)]
    assert not shop.differences()


@pytest.mark.parametrize(
    ("setup", "told"),
    [
        ("CREATE TABLE ads(id INTEGER, bid INTEGER)", "no primary key.*rowid"),
        ("CREATE TABLE ads(id INTEGER, bid INTEGER PRIMARY KEY)", "primary key is (bid)"),
        ("CREATE TABLE t(id, bid); CREATE VIEW ads AS SELECT * FROM t", "is a view"),
        ("CREATE TABLE ads(id INTEGER, bid INTEGER); CREATE UNIQUE INDEX i ON ads(id) WHERE bid > 0", "unique"),
    ],
)
def test_what_can_not_be_captured_says_why(world: Worlds, setup: str, told: str) -> None:
    shop = world(flows_of(ADS), setup)
    shop.drain()
    assert all(part in shop.mirror.parked["ads"] for part in told.split(".*"))


def test_a_column_added_to_the_flows_file(shop: World) -> None:
    shop.restart(flows_of(table("ads", {"id": "int", "bid": "int", "title": "str"}), TAGS))
    units = shop.drain()
    assert {(unit.kind, unit.first) for unit in units} == {("chunk", False), ("done", False)}
    assert {rows.table for unit in units for rows in unit.tables} == {"ads"}
    assert not shop.differences()


def test_a_table_added_to_and_removed_from_the_flows_file(shop: World) -> None:
    shop.restart(flows_of(ADS))
    assert shop.drain() == []
    assert shop.editor.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'adsindex_tags%'").fetchone() == (0,)
    shop.sql("INSERT INTO tags VALUES (7, 7)", "DELETE FROM tags WHERE id = 1", "UPDATE ads SET bid = 0")
    shop.drain()
    shop.mirror.rows.pop("tags")
    shop.restart(flows_of(ADS, TAGS))
    units = shop.drain()
    assert {rows.table for unit in units for rows in unit.tables} == {"tags"} and units[-1].first
    assert not shop.differences()


def test_a_wider_key_widens_the_change_log(shop: World) -> None:
    shop.sql(
        "CREATE TABLE cells(a, b, c, v INTEGER, PRIMARY KEY (a, b, c)) WITHOUT ROWID",
        "INSERT INTO cells VALUES (1, 2, 3, 4)",
    )
    cells = table("cells", {"a": "int", "b": "int", "c": "int", "v": "int"}, key=("a", "b", "c"))
    shop.restart(flows_of(ADS, TAGS, cells))
    shop.drain()
    shop.sql("UPDATE cells SET v = 5", "UPDATE cells SET c = 9")
    (unit,) = shop.drain()
    assert unit.tables[0].deleted == [(1, 2, 3)] and not shop.differences()
