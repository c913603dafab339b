"""What is wrong with a flows file is said with file, line and a hint, for the person who wrote it."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proto.errors import FlowsError
from proto.flows.loader import loads


def errors_of(text: str) -> list[FlowsError]:
    with pytest.raises(FlowsError) as raised:
        loads(text, "flows.toml")
    return [raised.value, *raised.value.others]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


MISTAKES = {
    block.partition("\n")[0]: block.splitlines()[1:]
    for block in Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8").split("\n\n")
    if not block.startswith("#")
}
"""Name -> lines: "- " what stands in the right file, "+ " what is put in its place, "! " all that is said about it."""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake(shop: str, name: str) -> None:
    old, new, said = ("\n".join(line[2:] for line in MISTAKES[name] if line[0] == mark) for mark in "-+!")
    assert old in shop
    assert str(errors_of(shop.replace(old, new, 1))[0]) == said


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_it_the_file_loads_or_the_error_has_a_line(shop: str, data: st.DataObject) -> None:
    """Words of the file are left out, doubled, or put in the place of others."""
    words = re.split(r"(\W)", shop)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at] = data.draw(st.sampled_from(["", words[at] * 2, "title", "5", "[x]", "''", *words]))
    text = "".join(words)
    try:
        loads(text)
    except FlowsError as error:
        assert 0 < error.line <= text.count("\n") + 1


def test_a_loop_is_told_whole(shop: str) -> None:
    text = shop.replace(
        'references = { parent = "parent_id -> shelves" }', 'references = { best = "parent_id -> lines" }'
    )
    (error,) = errors_of(text.replace('"(order_id, number)', '"').replace('"parent_id ->', '"(id, parent_id) ->'))
    assert error.message == (
        "the references make a loop: books.shelf -> shelves, shelves.best -> lines, lines.book -> books"
    )
    assert error.hint == "remove one of these references; a collection of the other table leads back"
    assert error.line == line_of(text, 'references = { book = "book_id')


def test_a_table_may_refer_to_itself_and_two_ways_may_meet(shop: str) -> None:
    """A diamond is no loop: lines -> books -> shelves and lines -> shelves."""
    text = shop.replace('{ book = "book_id -> books" }', '{ book = "book_id -> books", shelf = "quantity -> shelves" }')
    assert list(loads(text).tables["lines"].references) == ["book", "shelf"]


def test_everything_is_told_at_once_in_the_order_of_lines(shop: str) -> None:
    text = (
        shop.replace("-> shelves", "-> shelvs").replace('key = "book_id"', 'key = "x"').replace("limit 20", "limit 0")
    )
    errors = errors_of(text)
    assert len(errors) == 4  # two references
    assert [error.line for error in errors] == sorted(error.line for error in errors)
    first = errors[0]
    assert str(first).count("\n") == 3
    assert str(first).startswith("flows.toml:8: reference books.shelf = 'shelf_id -> shelvs': there is no table")
    assert all(str(other) in str(first) for other in first.others)


def test_sources_that_never_meet(shop: str) -> None:
    text = shop.replace('source = "books"', 'source = "books"\nsources = ["east"]')
    text = text.replace('source = "shelves"', 'source = "shelves"\nsources = ["west", "south"]')
    assert "books comes from east, shelves from west, south" in str(errors_of(text)[0])


def test_shards_may_feed_tables_of_their_own(shop: str) -> None:
    east = 'source = "x"\nsources = ["east"]\nkey = "id"\ncolumns = { id = "int" }\n'
    text = f"{shop}\n[tables.east]\n{east}\n[tables.west]\n{east.replace('east', 'west')}"
    assert loads(text).tables["west"].sources == ("west",)


@pytest.mark.parametrize("text", ["", "# nothing\n", "[documents]\n"])
def test_an_empty_file(text: str) -> None:
    (error,) = errors_of(text)
    assert "there is no table in it" in str(error)


def test_a_column_that_nothing_writes(shop: str) -> None:
    text = shop.replace('handler = "shop.sales:count_sales"\n', "")
    text += '\n[tables.sales.derived]\nbest = { type = "int", handler = "h" }\n'
    (error,) = errors_of(text)
    assert "table 'sales': nothing writes column 'sold'. Hint: move it to [tables.sales.derived]" in str(error)
