"""Short cuts in a flows file; what can be wrong with them stands in mistakes.txt."""

from proto.flows.loader import loads

SHORTCUT = '\n[shortcuts.stock]\ntable = "books"\ncolumns = "price"\n'


def test_a_short_cut_has_a_topic_of_its_own_name_or_another(shop: str) -> None:
    one = loads(shop + SHORTCUT).shortcuts["stock"]
    assert (one.table, one.columns, one.topic) == ("books", ("price",), "stock")
    assert loads(f'{shop}{SHORTCUT}topic = "real-time.prices"').shortcuts["stock"].topic == "real-time.prices"


def test_a_short_cut_is_part_of_the_generation(shop: str) -> None:
    other = SHORTCUT.replace('"price"', '"title"')
    assert len({loads(text).generation for text in (shop, shop + SHORTCUT, shop + other)}) == 3
