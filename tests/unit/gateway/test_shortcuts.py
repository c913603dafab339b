"""Short cuts: rows of some tables go to a topic of their own, with their unit or not at all."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from proto.events import ShortcutRow, decode_shortcut_row
from proto.flows.model import Flows, Shortcut
from tests.support.source import SOURCE, World, flows_of, table

SETUP = "CREATE TABLE items (id INTEGER PRIMARY KEY, price TEXT, stock, note TEXT);"
SETUP += "INSERT INTO items VALUES (1, '2', 3, 'a')"
COLUMNS = {"id": "int", "price": "decimal", "stock": "int", "note": "str"}
Make = Callable[..., World]


def flows(columns: tuple[str, ...] = ("price", "stock")) -> Flows:
    items = table("items", COLUMNS)
    return replace(flows_of(items), shortcuts={"prices": Shortcut("prices", "items", columns, "prices")})


def sent(world: World) -> list[ShortcutRow]:
    partition = world.log.partition_of("prices", SOURCE)
    return [decode_shortcut_row(message.value) for message in world.log.read("prices", partition, 0, 1000)]


def test_what_was_there_and_each_change_goes(world: Make) -> None:
    one = world(flows(), SETUP)
    one.drain()
    one.sql("UPDATE items SET stock = 4", "DELETE FROM items")
    one.drain()
    one.sql("INSERT INTO items VALUES (2, ' 1.50', 1, 'b')")
    one.drain()
    rows = [(row.source, row.table, row.key, row.columns) for row in sent(one)]
    assert rows == [
        (SOURCE, "items", [1], {"price": "2", "stock": 3}),
        (SOURCE, "items", [1], None),
        (SOURCE, "items", [2], {"price": "1.50", "stock": 1}),
    ]
    positions = [(row.incarnation, row.position) for row in sent(one)]
    assert positions == sorted(set(positions))
    assert positions[1:] == [(unit.incarnation, unit.position) for unit in one.mirror.units if unit.kind == "stream"]


def test_a_bad_value_in_another_column_does_not_hold_it_up(world: Make) -> None:
    one = world(flows(("price",)), SETUP)
    one.sql("UPDATE items SET price = '7', stock = 'many'")
    one.drain()
    assert sent(one)[-1].columns == {"price": "7"}
    one.sql("UPDATE items SET price = 'much'")
    one.drain()
    assert sent(one)[-1].columns == {"price": "7"}, "the updater makes a dead letter of it"


@pytest.mark.parametrize("again", [False, True])
def test_a_group_that_is_undone_takes_both_with_it(world: Make, again: bool) -> None:
    one = world(flows(), SETUP)
    one.drain()
    before = len(sent(one))
    one.sql("UPDATE items SET stock = 9")
    with pytest.raises(ZeroDivisionError), one.log.group():
        one.gateway.step(0)
        raise ZeroDivisionError
    assert len(sent(one)) == before
    if again:
        one.restart()
    else:
        one.gateway.undone()
    one.drain()
    assert [row.columns for row in sent(one)[before:]] == [{"price": "2", "stock": 9}]


def test_without_short_cuts_nothing_is_asked_of_the_log(world: Make) -> None:
    one = world(flows_of(table("items", COLUMNS)), SETUP)
    one.drain()
    assert one.log.partitions("prices") == 0
