"""A small, right flows file, from which tests make wrong ones."""

import pytest

SHOP = """\
[tables.books]
source = "books"
key = "id"
lane = "high"
columns = { id = "int", shelf_id = "int", title = "str", price = "decimal", active = "bool", tags = "json" }
lanes = { tags = "medium" }
sensitive = ["tags"]
references = { shelf = "shelf_id -> shelves" }
collections = { lines = "lines.book_id order by number desc limit 20" }

[tables.books.derived]
score = { type = "float", handler = "shop.score:score_books", lane = "low" }

[tables.lines]
source = "order lines"
key = ["order_id", "number"]
columns = { order_id = "int", number = "int", book_id = "int", quantity = "int" }
references = { book = "book_id -> books" }
collections = { notes = "notes.(order_id, number)" }

[tables.notes]
source = "notes"
key = "id"
lane = "low"
columns = { id = "str", order_id = "int", number = "int", text = "str" }

[tables.shelves]
source = "shelves"
key = "id"
columns = { id = "int", name = "str", parent_id = "int" }
references = { parent = "parent_id -> shelves" }

[tables.sales]
handler = "shop.sales:count_sales"
key = "book_id"
columns = { book_id = "int", sold = "int" }

[documents.book]
root = "books"
servable = "active and shelf.name <> 'attic'"
copy = ["*", "shelf.parent.name"]

[documents.book.fields]
shelf_name = "shelf.name"
quantities = { from = "lines.quantity", kind = "content", owner = "sales", fresh_within_s = 60 }

[documents.book.fields.price]
handler = "shop.fields:price"
critical = true
"""


@pytest.fixture
def shop() -> str:
    return SHOP
