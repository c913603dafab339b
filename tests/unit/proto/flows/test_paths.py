"""Paths along references and collections."""

import pytest

from proto.errors import FlowsError
from proto.flows.loader import loads
from proto.flows.paths import nearest, resolve


def test_a_column_of_the_root(shop: str) -> None:
    path = resolve(loads(shop), "books", "title")
    assert (path.text, path.root, path.hops, path.many) == ("title", "books", (), False)
    assert path.column is path.table.columns["title"]


def test_along_references(shop: str) -> None:
    flows = loads(shop)
    path = resolve(flows, "lines", "book.shelf.parent.name")
    assert [hop.name for hop in path.hops] == ["book", "shelf", "parent"]
    assert path.table is flows.tables["shelves"]
    assert path.column is not None
    assert path.column.name == "name"
    assert not path.many


@pytest.mark.parametrize(
    ("text", "table", "column"),
    [
        ("lines.quantity", "lines", "quantity"),
        ("lines.notes.text", "notes", "text"),
        ("lines.book.title", "books", "title"),
        ("lines", "lines", None),
    ],
)
def test_along_collections_there_are_many(shop: str, text: str, table: str, column: str | None) -> None:
    path = resolve(loads(shop), "books", text)
    assert path.many
    assert path.table.name == table
    assert (path.column.name if path.column else None) == column


def test_a_path_may_end_at_a_row(shop: str) -> None:
    path = resolve(loads(shop), "books", "shelf")
    assert path.column is None
    assert not path.many


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel", "path 'titel': table 'books' has no 'titel'. Hint: did you mean 'title'?"),
        ("shelf.nam", "table 'shelves' has no 'nam'. Hint: did you mean 'name'?"),
        ("shelf.xyz", "Hint: there are: id, name, parent_id, parent"),
        (
            "title.length",
            "path 'title.length': 'title' is a column of 'books'. Hint: it ends there; leave '.length' out",
        ),
        ("", "has no ''"),
        ("shelf.", "has no ''"),
        ("shelf..name", "has no ''"),
    ],
)
def test_what_leads_nowhere(shop: str, text: str, message: str) -> None:
    with pytest.raises(FlowsError) as raised:
        resolve(loads(shop), "books", text)
    assert message in str(raised.value)


def test_nearest_does_not_list_everything() -> None:
    assert nearest("zzz", [f"column_{number}" for number in range(100)]).endswith("column_11, ...")
