"""Loading a flows file that is right."""

from pathlib import Path

import pytest

from proto.errors import FlowsError
from proto.flows.loader import load, loads
from proto.flows.model import Collection, Column, Field, Location, Reference
from proto.lane import Lane


def test_tables(shop: str) -> None:
    tables = loads(shop).tables
    assert list(tables) == ["books", "lines", "notes", "shelves", "sales"]
    books = tables["books"]
    assert (books.source_table, books.key, books.lane, books.sources) == ("books", ("id",), Lane.HIGH, ())
    assert list(books.columns) == ["id", "shelf_id", "title", "price", "active", "tags", "score"]
    assert books.columns["tags"] == Column("tags", "json", Lane.MEDIUM, sensitive=True)
    assert books.columns["score"] == Column("score", "float", Lane.LOW, "shop.score:score_books")
    assert books.references == {"shelf": Reference("shelf", "books", ("shelf_id",), "shelves")}
    assert books.collections == {"lines": Collection("lines", "books", "lines", ("book_id",), "number", True, 20)}
    assert tables["lines"].source_table == "order lines"
    assert tables["lines"].collections["notes"].columns == ("order_id", "number")
    assert tables["shelves"].references["parent"].parent == "shelves"
    assert books.at == Location("flows.toml", 1)


def test_a_table_of_the_application_is_written_by_its_handler(shop: str) -> None:
    sales = loads(shop).tables["sales"]
    assert sales.source_table == ""
    assert sales.groups() == {"@shop.sales:count_sales": ("book_id", "sold")}
    derived = (
        'key = "book_id"\ncolumns = { book_id = "int" }\n[tables.sales.derived]\nsold = { type = "int", handler = "h" }'
    )
    text = shop.replace(
        'handler = "shop.sales:count_sales"\nkey = "book_id"\ncolumns = { book_id = "int", sold = "int" }', derived
    )
    assert text != shop
    assert loads(text).tables["sales"].groups() == {"@h": ("book_id", "sold")}


def test_documents(shop: str) -> None:
    flows = loads(shop, "shop.toml")
    book = flows.documents["book"]
    assert (book.root, book.servable) == ("books", "active and shelf.name <> 'attic'")
    assert {field.name: field.path or field.handler for field in book.fields.values()} == {
        "id": "id", "shelf_id": "shelf_id", "title": "title", "active": "active", "score": "score",
        "shelf_parent_name": "shelf.parent.name", "shelf_name": "shelf.name", "quantities": "lines.quantity",
        "price": "shop.fields:price",
    }  # fmt: skip
    line = (
        shop.splitlines().index(
            'quantities = { from = "lines.quantity", kind = "content", owner = "sales", fresh_within_s = 60 }'
        )
        + 1
    )
    assert book.fields["quantities"] == Field(
        "quantities", "lines.quantity", "", "content", "sales", False, 60, Location("shop.toml", line)
    )
    assert book.fields["price"].critical
    assert book.fields["price"].at.line == shop.splitlines().index("[documents.book.fields.price]") + 1


def test_of_two_stars_that_make_the_same_name_the_first_stays(shop: str) -> None:
    """As `*` and `brand.*` do, when the reference's column is brand_id and the parent's key is id."""
    text = shop.replace('copy = ["*", "shelf.parent.name"]', 'copy = ["shelf.*", "shelf.*", "*"]')
    fields = loads(text).documents["book"].fields
    twice = [name for name, field in fields.items() if name.startswith("shelf_") and field.path.startswith("shelf.")]
    assert twice and len(twice) == len(set(twice))
    assert fields["shelf_name"].path == "shelf.name"


def test_a_star_leaves_sensitive_columns_out_and_goes_along_references(shop: str) -> None:
    text = shop.replace('copy = ["*", "shelf.parent.name"]', 'copy = ["shelf.*", "tags"]')
    fields = loads(text).documents["book"].fields
    assert {name: field.path for name, field in fields.items() if field.path} == {
        "shelf_id": "shelf.id", "shelf_name": "shelf.name", "shelf_parent_id": "shelf.parent_id", "tags": "tags",
        "quantities": "lines.quantity",
    }  # fmt: skip


def test_names_of_columns_may_hold_spaces(shop: str) -> None:
    text = shop.replace("order_id = ", '"order id" = ').replace('["order_id"', '["order id"')
    text = text.replace("notes.(order_id, number)", 'notes.(\\"order id\\", number)')
    assert loads(text).tables["lines"].collections["notes"].columns == ("order id", "number")


def test_load_reads_a_file(shop: str, tmp_path: Path) -> None:
    file = tmp_path / "flows.toml"
    file.write_text("\ufeff" + shop, encoding="utf-8")  # as some editors write it
    flows = load(file)
    assert flows == load(str(file))
    assert flows.file == str(file)
    assert flows.text == shop
    assert flows.generation == loads(shop).generation


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FlowsError, match=r"nowhere\.toml: there is no such flows file\. Hint: .*adsindex init"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(FlowsError, match="can't be read"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(FlowsError, match="not UTF-8"):
        load(tmp_path / "latin.toml")


SAME = [
    ("# a comment\n", ""),
    ('owner = "sales", ', ""),
    (", fresh_within_s = 60", ""),
    ("critical = true", "critical = false"),
    ("active and shelf.name <> 'attic'", "active  AND shelf.name<>'attic'"),
    ('id = "int", shelf_id = "int"', 'shelf_id = "int", id = "int"'),
    ('columns = { id = "str", order_id', 'columns = { "id" = "str", order_id'),
    ('shelf_name = "shelf.name"', 'shelf_name = { from = "shelf.name" }'),
]  # fmt: skip
OTHER = [
    ('price = "decimal"', 'price = "float"'),
    ('tags = "medium"', 'tags = "low"'),
    ("'attic'", "'cellar'"),
    ("limit 20", "limit 21"),
    ("number desc", "number asc"),
    ('shelf_name = "shelf.name"', 'shelf_name = "title"'),
    ("shop.fields:price", "shop.fields:other_price"),
    ('source = "notes"', 'source = "notes"\nsources = ["shard1"]'),
    ("score_books", "rank_books"),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_the_generation_ignores_what_only_people_read(shop: str, old: str, new: str) -> None:
    text = "# a comment\n" + shop
    assert old in text
    assert loads(text.replace(old, new, 1)).generation == loads(text).generation


def test_the_generation_ignores_what_is_masked(shop: str) -> None:
    text = shop.replace('copy = ["*", "shelf.parent.name"]', "")  # "*" would leave other columns out
    assert loads(text.replace('["tags"]', '["title"]')).generation == loads(text).generation


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_the_generation_changes_with_the_meaning(shop: str, old: str, new: str) -> None:
    assert old in shop
    assert loads(shop.replace(old, new, 1)).generation != loads(shop).generation


def test_the_generation_ignores_the_order_of_tables_and_fields(shop: str) -> None:
    tables, documents = shop.split("[documents.book]")
    assert loads("[documents.book]" + documents + "\n" + tables).generation == loads(shop).generation


def test_the_generation_is_the_same_in_every_process(shop: str) -> None:
    """When this number changes on purpose, every document of every user is built again: raise generation._FORMAT."""
    assert loads(shop).generation == 7986009228397075321
