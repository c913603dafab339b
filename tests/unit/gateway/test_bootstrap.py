"""Chunks beside the stream: the log wins, a kill at any step loses nothing, and what is gone is found."""

from collections.abc import Callable
from typing import Any

import pytest

from proto.errors import SettingsError
from proto.lane import Lane
from tests.support.source import World, flows_of, table

ADS = table("ads", {"id": "int", "bid": "int"})
TAGS = table("tags", {"name": "str", "ad": "int"}, key=("name",))
SETUP = """CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER);
CREATE TABLE tags(name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, ad INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO ads SELECT i, i * 10 FROM n;
INSERT INTO tags SELECT char(64 + id % 26 + 32 * (id % 2)) || id, id FROM ads"""
Worlds = Callable[..., World]


@pytest.fixture
def shop(world: Worlds) -> World:
    return world(flows_of(ADS, TAGS), SETUP)


def step(shop: World, budget_rows: int = 7) -> bool:
    worked = shop.gateway.step(budget_rows)
    shop.mirror.pull()
    return worked


def test_a_chunk_has_no_more_rows_than_the_budget(shop: World) -> None:
    units = shop.drain(7)
    sizes = [len(rows.rows) for unit in units for rows in unit.tables]
    assert max(sizes) == 7 and sum(sizes) == 100 and not shop.differences()


def test_a_budget_of_nothing_pauses_it(shop: World) -> None:
    shop.drain(7)
    shop.gateway.compare("ads")
    shop.sql("UPDATE ads SET bid = 1 WHERE id = 1")
    assert [unit.kind for unit in shop.drain(0)] == ["stream"]
    assert {unit.kind for unit in shop.drain(7)} == {"chunk", "done"}


def test_edits_between_all_chunks(shop: World) -> None:
    number = 0
    while step(shop, 3):
        number += 1
        if number < 60:
            shop.sql(
                f"UPDATE ads SET bid = -1 WHERE id = {number % 50}",
                f"DELETE FROM ads WHERE id = {(number * 7) % 50}",
                f"INSERT OR REPLACE INTO ads VALUES ({number * 3}, {number})",
                f"UPDATE OR REPLACE ads SET id = {number * 2} WHERE id = {number + 5}",
                f"DELETE FROM tags WHERE ad = {number}",
            )
    assert not shop.differences()


def test_an_edit_between_poll_and_chunk_goes_ahead_of_the_chunk(shop: World) -> None:
    """Each transaction changes all rows: no chunk may show its rows before the others are changed."""
    capture = shop.gateway._capture
    chunk, count = capture.chunk, [0]

    def edited_chunk(*arguments: Any) -> Any:
        count[0] += 1
        shop.sql(f"UPDATE ads SET bid = {-count[0]}")
        return chunk(*arguments)

    capture.chunk = edited_chunk  # type: ignore[method-assign]
    while shop.gateway.step(7):
        for unit in shop.mirror.pull():
            seen = {bid for _, bid in shop.mirror.values("ads")}
            assert len(seen) <= 1, f"torn by {unit.kind} at {unit.position}"
    assert not shop.differences()


@pytest.mark.parametrize("killed_after", range(20))
def test_a_kill_after_any_step(shop: World, killed_after: int) -> None:
    for number in range(killed_after):
        step(shop)
        shop.sql(f"UPDATE ads SET bid = bid + 1 WHERE id = {number}", f"DELETE FROM tags WHERE ad = {number + 20}")
    before = len(shop.mirror.units)
    shop.restart()
    shop.drain(7)
    assert not shop.differences()
    chunks = [unit for unit in shop.mirror.units if unit.kind == "chunk"]
    assert sum(len(rows.rows) for unit in chunks for rows in unit.tables) <= 100, "nothing is read twice"
    assert before <= len(shop.mirror.units) and shop.mirror.units[-1].kind in ("done", "stream")


def test_rows_that_went_unseen_are_found_gone(shop: World) -> None:
    """Keys of `tags` are not in the order of their encodings: they are sorted first."""
    shop.drain()
    shop.sql("DROP TRIGGER adsindex_ads_delete", "DELETE FROM ads WHERE id IN (1, 2, 25, 49, 50)")
    shop.sql("DROP TRIGGER adsindex_tags_delete", "DELETE FROM tags WHERE ad IN (1, 2, 25, 49, 50)")
    shop.drain(7)
    assert not shop.differences()


def test_edits_while_keys_are_sorted(shop: World) -> None:
    shop.drain()
    shop.gateway.compare("tags")
    number = 0
    while step(shop, 5):
        number += 1
        if number < 30:
            shop.sql(
                f"INSERT OR REPLACE INTO tags VALUES ('new {number}', {number})",
                f"DELETE FROM tags WHERE ad = {number * 2}",
                f"UPDATE OR REPLACE tags SET name = 'Moved' || ad WHERE ad = {50 - number}",
            )
    assert not shop.differences()


def test_a_whole_table_that_was_emptied_unseen(shop: World) -> None:
    shop.drain()
    shop.sql("DROP TRIGGER adsindex_ads_delete", "DELETE FROM ads")
    shop.drain(7)
    assert shop.mirror.values("ads") == []


def test_a_key_that_does_not_fit_its_type_bounds_nothing(world: Worlds) -> None:
    shop = world(flows_of(ADS), "CREATE TABLE ads(id INT PRIMARY KEY NOT NULL, bid INTEGER)")
    shop.sql("INSERT INTO ads VALUES (1, 1), (2, 2), (2.5, 3), ('text', 4), (x'00', 5), (3, 6)")
    shop.drain()
    shop.sql("DROP TRIGGER adsindex_ads_delete", "DELETE FROM ads WHERE id = 2")
    units = shop.drain(1)
    assert shop.mirror.values("ads") == [(1, 1), (3, 6)]
    sent = {row for unit in units for rows in unit.tables for row in rows.rows}
    assert {(2.5, 3), ("text", 4), (b"\x00", 5)} <= sent, "the updater tells of them"


def test_a_key_range_and_a_list_of_keys_are_read_again(shop: World) -> None:
    shop.drain()
    shop.gateway.compare("ads", after=(10,), through=(12,))
    shop.gateway.compare("ads", keys=[(20,), (777,)])
    ranged, named = shop.drain()
    assert [row[0] for row in ranged.tables[0].rows] == [11, 12] and ranged.span is not None and not ranged.first
    assert named.tables[0].rows == [(20, 200)] and named.tables[0].deleted == [(777,)] and named.span is None
    assert named.lane == ranged.lane == Lane.LOW


def test_repairs_survive_a_kill_and_an_undone_group(shop: World) -> None:
    shop.drain()
    shop.gateway.compare("ads", keys=[(20,)])
    with pytest.raises(ZeroDivisionError), shop.log.group():
        shop.gateway.step(7)
        raise ZeroDivisionError
    shop.restart()
    (named,) = shop.drain()
    assert named.tables[0].rows == [(20, 200)]


def test_only_captured_tables_can_be_compared(shop: World) -> None:
    shop.drain()
    with pytest.raises(SettingsError, match="it has ads, tags"):
        shop.gateway.compare("adz")
    shop.sql("ALTER TABLE ads RENAME COLUMN bid TO price")
    shop.drain()
    with pytest.raises(SettingsError, match="parked"):
        shop.gateway.compare("ads")


def test_a_schema_change_in_the_middle_starts_that_table_again(shop: World) -> None:
    step(shop)
    step(shop)
    shop.sql("ALTER TABLE ads RENAME COLUMN bid TO price", "DELETE FROM ads WHERE id < 20")
    units = shop.drain(7)
    assert [unit.names for unit in units if unit.kind == "done"] == [("tags",)]
    shop.sql("DELETE FROM ads WHERE id > 40", "ALTER TABLE ads RENAME COLUMN price TO bid")
    done = [unit for unit in shop.drain(7) if unit.kind == "done"]
    assert [(unit.names, unit.first) for unit in done] == [(("ads",), False)], "documents may be live without it"
    assert not shop.differences()


def test_an_empty_database(world: Worlds) -> None:
    shop = world(flows_of(ADS), "CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER)")
    (done,) = shop.drain()
    assert done.kind == "done" and done.names == ("ads",)
