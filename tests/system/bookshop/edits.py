"""Random transactions on the book shop, the same from the same seed."""

import sqlite3
from random import Random

from tests.system.bookshop.seed import AUTHORS, CATEGORIES, SHOPS, WAREHOUSES, isbn, put, put_book, put_order

BOOKS = 45
ORDERS = 25


def edit(connection: sqlite3.Connection, random: Random) -> None:
    """One transaction of one to four changes, committed; one in ten is rolled back instead."""
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        random.choice(_CHANGES)(connection, random)
    connection.execute("ROLLBACK" if random.random() < 0.1 else "COMMIT")


def _some_order(random: Random) -> tuple[str, int]:
    return random.choice(SHOPS), random.randrange(-3, ORDERS)


def _price(connection: sqlite3.Connection, random: Random) -> None:
    values = (random.randrange(100_000) / 100, isbn(random.randrange(BOOKS)))
    connection.execute("UPDATE books SET price = ?, updated_at = '2026-05-05 05:05:05' WHERE isbn = ?", values)


def _book(connection: sqlite3.Connection, random: Random) -> None:
    put_book(connection, isbn(random.randrange(BOOKS)), random)


def _no_book(connection: sqlite3.Connection, random: Random) -> None:
    connection.execute("DELETE FROM books WHERE isbn = ?", (isbn(random.randrange(BOOKS)),))


def _other_isbn(connection: sqlite3.Connection, random: Random) -> None:
    values = (isbn(random.randrange(BOOKS)), isbn(random.randrange(BOOKS)))
    connection.execute("UPDATE OR REPLACE books SET isbn = ? WHERE isbn = ?", values)


def _category(connection: sqlite3.Connection, random: Random) -> None:
    slug, parent = random.choice(CATEGORIES)[0], random.choice(CATEGORIES)[0]
    if random.random() < 0.2:
        connection.execute("DELETE FROM categories WHERE slug = ?", (slug,))
    else:
        put(connection, "categories", [(slug, f"Category {random.randrange(100)}", parent)])


def _author(connection: sqlite3.Connection, random: Random) -> None:
    values = (f"Author {random.random()}", random.randrange(AUTHORS))
    connection.execute("UPDATE authors SET name = ? WHERE id = ?", values)


def _authorship(connection: sqlite3.Connection, random: Random) -> None:
    book = isbn(random.randrange(BOOKS))
    connection.execute("DELETE FROM book_authors WHERE isbn = ? AND author_id % 2 = ?", (book, random.randrange(2)))
    put(connection, "book_authors", [(book, random.randrange(AUTHORS), random.choice((None, 0, 3)), "editor")])


def _stock(connection: sqlite3.Connection, random: Random) -> None:
    country, city, _ = random.choice(WAREHOUSES)
    put(connection, "stock", [(isbn(random.randrange(BOOKS)), country, city, random.randrange(50), 1)])


def _warehouse(connection: sqlite3.Connection, random: Random) -> None:
    country, city, _ = random.choice(WAREHOUSES)
    put(connection, "warehouses", [(country, city, f"Warehouse {random.randrange(1000)}")])


def _order(connection: sqlite3.Connection, random: Random) -> None:
    put_order(connection, *_some_order(random), BOOKS, random)


def _no_order(connection: sqlite3.Connection, random: Random) -> None:
    order = _some_order(random)
    connection.execute("DELETE FROM orders WHERE shop = ? AND number = ?", order)
    if random.random() < 0.5:
        connection.execute("DELETE FROM order_lines WHERE shop = ? AND number = ?", order)


def _line(connection: sqlite3.Connection, random: Random) -> None:
    shop, number = _some_order(random)
    row = (shop, number, random.randrange(5), isbn(random.randrange(BOOKS)), random.randrange(9), "1.10")
    put(connection, "order_lines", [row])


def _no_line(connection: sqlite3.Connection, random: Random) -> None:
    values = (*_some_order(random), random.randrange(4))
    connection.execute("DELETE FROM order_lines WHERE shop = ? AND number = ? AND line = ?", values)


def _move_lines(connection: sqlite3.Connection, random: Random) -> None:
    """Lines of one order go to another: their keys change."""
    values = (*_some_order(random), *_some_order(random))
    connection.execute("UPDATE OR REPLACE order_lines SET shop = ?, number = ? WHERE shop = ? AND number = ?", values)


def _customer(connection: sqlite3.Connection, random: Random) -> None:
    connection.execute("UPDATE customers SET name = ? WHERE id = ?", (f"C {random.random()}", random.randrange(8)))


_CHANGES = (
    _price, _price, _book, _no_book, _other_isbn, _category, _author, _authorship, _stock, _warehouse,
    _order, _no_order, _line, _no_line, _move_lines, _customer,
)  # fmt: skip
