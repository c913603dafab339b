"""The stream of one source: whole units, deduplicated, in lanes, resumed where the log ends."""

from collections.abc import Callable

import pytest

from proto.errors import UnavailableError
from proto.lane import Lane
from tests.support.source import World, flows_of, table

ADS = table("ads", {"id": "int", "bid": "int", "title": "str"})
BUDGETS = table("budgets", {"id": "int", "amount": "int"}, lane=Lane.LOW)
SETUP = """
CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER, title TEXT, note TEXT);
CREATE TABLE budgets(id INTEGER PRIMARY KEY, amount INTEGER);
INSERT INTO ads VALUES (1, 10, 'one', 'n'), (2, 20, 'two', 'n');
INSERT INTO budgets VALUES (1, 100);
"""
Worlds = Callable[..., World]


@pytest.fixture
def shop(world: Worlds) -> World:
    made = world(flows_of(ADS, BUDGETS), SETUP)
    made.drain()
    return made


def test_first_bootstrap_ends_with_done(shop: World) -> None:
    assert not shop.differences()
    assert [(unit.kind, unit.first, unit.lane) for unit in shop.mirror.units] == [
        ("chunk", True, Lane.LOW),
        ("chunk", True, Lane.LOW),
        ("done", True, Lane.LOW),
    ]
    assert set(shop.mirror.units[-1].names) == {"ads", "budgets"}


def test_a_transaction_over_two_tables_is_one_unit_in_the_highest_lane(shop: World) -> None:
    shop.sql("BEGIN", "UPDATE ads SET bid = 11 WHERE id = 1", "UPDATE budgets SET amount = 11 WHERE id = 1", "COMMIT")
    (unit,) = shop.drain()
    assert unit.kind == "stream" and unit.lane == Lane.HIGH and unit.begin < unit.position
    assert {rows.table: rows.rows for rows in unit.tables} == {"ads": [(1, 11, "one")], "budgets": [(1, 11)]}


def test_a_unit_of_a_lower_lane_waits_for_the_last_higher_one(shop: World) -> None:
    shop.sql("UPDATE ads SET bid = 11 WHERE id = 1")
    (high,) = shop.drain()
    shop.sql("UPDATE budgets SET amount = 1")
    (low,) = shop.drain()
    assert low.lane == Lane.LOW and low.waits_for == high.position


def test_many_changes_of_one_row_are_one_row_as_it_is_now(shop: World) -> None:
    for bid in range(100):
        shop.sql(f"UPDATE ads SET bid = {bid} WHERE id = 2")
    (unit,) = shop.drain()
    assert unit.tables[0].rows == [(2, 99, "two")] and unit.position - unit.begin == 100


def test_a_deleted_row_and_the_old_key_of_a_moved_one_are_gone(shop: World) -> None:
    shop.sql("DELETE FROM ads WHERE id = 1", "UPDATE ads SET id = 7 WHERE id = 2")
    (unit,) = shop.drain()
    assert sorted(unit.tables[0].deleted) == [(1,), (2,)] and unit.tables[0].rows == [(7, 20, "two")]
    assert not shop.differences()


def test_deleted_and_inserted_again_is_there(shop: World) -> None:
    shop.sql("DELETE FROM ads WHERE id = 1", "INSERT INTO ads(id, bid) VALUES (1, 5)")
    (unit,) = shop.drain()
    assert unit.tables[0].rows == [(1, 5, None)] and unit.tables[0].deleted == []


def test_nothing_of_a_transaction_that_was_rolled_back(shop: World) -> None:
    shop.sql("BEGIN", "DELETE FROM ads", "ROLLBACK")
    assert shop.drain() == []


def test_an_open_transaction_is_invisible_until_it_commits(shop: World) -> None:
    shop.sql("BEGIN IMMEDIATE", "DELETE FROM ads")
    assert shop.drain() == []
    shop.sql("COMMIT")
    assert len(shop.drain()) == 1


def test_a_backlog_of_many_short_reads_is_one_unit(world: Worlds) -> None:
    shop = world(flows_of(ADS, BUDGETS), SETUP, read_rows_max=10)
    shop.drain()
    shop.sql("BEGIN", *[f"INSERT INTO ads(id, bid) VALUES ({number}, 0)" for number in range(100, 150)], "COMMIT")
    shop.sql("DELETE FROM ads WHERE id < 120", "UPDATE ads SET bid = 1 WHERE id > 140")
    (unit,) = shop.drain()
    assert unit.parts == 1 and len(unit.tables[0].rows) == 30 and len(unit.tables[0].deleted) == 22
    assert not shop.differences()


def test_a_commit_between_two_reads_of_one_unit_does_not_tear_it(world: Worlds) -> None:
    """Each editor's transaction keeps bid = amount; the reads are cut at every single entry."""
    shop = world(flows_of(ADS, BUDGETS), SETUP, read_rows_max=1)
    shop.sql("UPDATE ads SET bid = 0", "UPDATE budgets SET amount = 0")
    shop.drain()
    capture = shop.gateway._capture
    poll, left = capture.poll, list(range(1, 8))

    def edited_poll(mark: object, limit: int) -> object:
        found = poll(mark, limit)  # type: ignore[arg-type]
        if left:
            value = left.pop()
            shop.sql(
                "BEGIN", f"UPDATE ads SET bid = {value} WHERE id = 1", f"UPDATE budgets SET amount = {value}", "COMMIT"
            )
        return found

    capture.poll = edited_poll  # type: ignore[method-assign, assignment]
    shop.sql("BEGIN", "UPDATE ads SET bid = 9 WHERE id = 1", "UPDATE budgets SET amount = 9", "COMMIT")
    units = shop.drain()
    for unit in units:
        by_table = {rows.table: rows.rows for rows in unit.tables}
        assert by_table["ads"][0][1] == by_table["budgets"][0][1]
    assert not left and not shop.differences()


def test_a_unit_above_the_bound_is_cut_in_parts(world: Worlds) -> None:
    shop = world(flows_of(ADS, BUDGETS), SETUP, unit_rows_max=4)
    shop.drain()
    shop.sql("BEGIN", *[f"INSERT INTO ads(id, bid) VALUES ({n}, 0)" for n in range(10, 19)])
    shop.sql("UPDATE budgets SET amount = 3", "DELETE FROM ads WHERE id = 1", "COMMIT")
    shop.gateway.step(0)
    messages = shop.log.read("updates.high", 0, 0, 100)
    assert len(messages) == 3 and shop.gateway.units_cut == 1
    shop.mirror.pull()
    assert not shop.differences()


def test_a_new_process_goes_on_at_the_position_of_the_last_unit(shop: World) -> None:
    shop.sql("UPDATE ads SET bid = 1")
    (before,) = shop.drain()
    shop.restart()
    assert shop.drain() == []
    shop.sql("UPDATE ads SET bid = 2 WHERE id = 1")
    shop.restart()
    (after,) = shop.drain()
    assert after.begin == before.position and after.tables[0].rows == [(1, 2, "one")]


def test_a_group_that_is_undone_is_sent_again(shop: World) -> None:
    shop.sql("UPDATE ads SET bid = 5 WHERE id = 1")
    with pytest.raises(ZeroDivisionError), shop.log.group():
        assert shop.gateway.step(100)
        raise ZeroDivisionError
    assert shop.mirror.pull() == []
    shop.drain()
    assert not shop.differences()


def test_an_idle_step_neither_writes_nor_reads_the_log(shop: World) -> None:
    commits, log = shop.log.commits, shop.log
    assert not shop.gateway.step(100)
    bounds = log.bounds
    log.bounds = lambda *_: pytest.fail("looked at the log")  # type: ignore[method-assign, assignment]
    assert not shop.gateway.step(100)
    log.bounds = bounds  # type: ignore[method-assign]
    assert log.commits == commits


def test_a_single_edit_is_a_single_commit_of_the_log(shop: World) -> None:
    commits = shop.log.commits
    shop.sql("UPDATE ads SET bid = 6 WHERE id = 1")
    assert shop.gateway.step(100)
    assert shop.log.commits == commits + 1


def test_a_locked_source_is_unavailable_and_loses_nothing(world: Worlds) -> None:
    shop = world(flows_of(ADS, BUDGETS), SETUP, journal="delete")
    shop.drain()
    shop.sql("UPDATE ads SET bid = 77", "BEGIN EXCLUSIVE")
    with pytest.raises(UnavailableError, match="locked"):
        shop.gateway.step(100)
    shop.sql("ROLLBACK")
    shop.drain()
    assert not shop.differences()


def test_a_source_that_is_not_there_is_unavailable(shop: World) -> None:
    away = shop.path.with_suffix(".away")
    shop.path.rename(away)
    with pytest.raises(UnavailableError, match="put it back"):
        shop.gateway.step(100)
    away.rename(shop.path)
    shop.sql("UPDATE ads SET bid = 78")
    shop.drain()
    assert not shop.differences()


def test_values_come_as_the_database_has_them(shop: World) -> None:
    shop.editor.execute("INSERT INTO ads VALUES (9, ?, ?, NULL)", (-(2**63), "emoji 😀 \0 end" + "x" * 1_000_000))
    shop.editor.execute("INSERT INTO ads VALUES (10, 'not a number', x'00ff', NULL)")
    shop.editor.execute("INSERT INTO ads VALUES (11, 1.5, '', NULL)")
    shop.drain()
    assert not shop.differences()


def test_text_that_is_not_utf8_comes_as_bytes_and_stops_nothing(shop: World) -> None:
    shop.sql("INSERT INTO ads VALUES (9, 1, CAST(x'ff41' AS TEXT), NULL)", "UPDATE ads SET bid = 3 WHERE id = 1")
    (unit,) = shop.drain()
    assert (9, 1, b"\xffA") in unit.tables[0].rows and (1, 3, "one") in unit.tables[0].rows


def test_the_change_log_is_trimmed_behind_what_is_durable(world: Worlds) -> None:
    shop = world(flows_of(ADS, BUDGETS), SETUP, trim_rows=50, trim_batch_rows=40)
    shop.drain()
    for bid in range(100):
        shop.sql(f"UPDATE ads SET bid = {bid} WHERE id = 1")
    assert shop.gateway.trim() == 0, "not sent yet"
    with shop.log.group():
        shop.gateway.step(0)
        assert shop.gateway.trim() == 0, "sent, but not durable yet"
    assert [shop.gateway.trim() for _ in range(4)] == [40, 40, 19, 0]
    assert shop.editor.execute("SELECT count(*) FROM adsindex_changes").fetchone() == (1,)
    shop.restart()
    shop.sql("UPDATE ads SET bid = -1")
    shop.drain()
    assert not shop.differences()


def test_a_trimmed_log_of_units_still_knows_the_position(world: Worlds) -> None:
    shop = world(flows_of(ADS, BUDGETS), SETUP, trim_rows=1)
    shop.drain()
    shop.sql("UPDATE ads SET bid = 1", "UPDATE ads SET bid = 2")
    shop.drain()
    assert shop.gateway.trim() > 0
    shop.log.trim("updates.high", 0, 10**6)
    shop.restart()
    assert shop.drain() == []


def test_several_sources_at_once(world: Worlds) -> None:
    one, other = world(flows_of(ADS, BUDGETS), SETUP), world(flows_of(ADS, BUDGETS), SETUP)
    for made in (one, other):
        made.drain()
    one.sql("UPDATE ads SET bid = 1")
    other.sql("UPDATE ads SET bid = 2")
    assert len(one.drain()) == len(other.drain()) == 1
    assert not one.differences() and not other.differences()


def test_one_edit_costs_six_statements_where_somebody_rings(shop: World) -> None:
    shop.drain()
    told: list[str] = []
    shop.gateway._capture._file._driver.set_trace_callback(told.append)  # type: ignore[attr-defined]
    shop.sql("UPDATE ads SET bid = 3 WHERE id = 1")
    shop.gateway.hint()
    assert shop.gateway.step(0)
    assert [one.split()[0] for one in told] == ["BEGIN", "PRAGMA", "SELECT", "SELECT", "SELECT", "ROLLBACK"]
    shop.gateway.committed()
    told.clear()
    assert not shop.gateway.step(0)
    shop.gateway.hint()
    assert not shop.gateway.step(0), "a ring before the commit costs a look, no more"
    shop.sql("DELETE FROM ads WHERE id = 1")
    shop.drain()
    assert not shop.differences()
