"""Every document of the book shop, joined in SQL straight from the database, without the product."""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ops.demo.compare import Document
from ops.demo.printed import converters, decimal_text

BOOKS = """
    SELECT b.isbn, b.title, b.price AS "price [decimal]", b.pages, b.published_on, b.rating,
        b.is_in_print AS "is_in_print [bool]", b.cover AS "cover [bytes]", b.attributes AS "attributes [json]",
        b.updated_at AS "updated_at [datetime]",
        p.name AS publisher, c.name AS category, c2.name AS parent_category, c3.name AS grandparent_category,
        COALESCE(b.is_in_print AND b.price > 0 AND (p.country IS NULL OR p.country <> 'XX'), 0) AS _servable
    FROM books b
    LEFT JOIN publishers p ON p.code = b.publisher_code
    LEFT JOIN categories c ON c.slug = b.category_slug
    LEFT JOIN categories c2 ON c2.slug = c.parent_slug
    LEFT JOIN categories c3 ON c3.slug = c2.parent_slug
    ORDER BY b.isbn"""
AUTHORS_OF_BOOK = """
    SELECT a.name, a.born_on, ba.role FROM book_authors ba LEFT JOIN authors a ON a.id = ba.author_id
    WHERE ba.isbn = ? ORDER BY ba.position, ba.author_id"""
STOCK_OF_BOOK = """
    SELECT w.name, s.quantity, s.reserved
    FROM stock s LEFT JOIN warehouses w ON w.country = s.country AND w.city = s.city
    WHERE s.isbn = ? ORDER BY s.country, s.city"""
ORDERS = """
    SELECT o.shop, o.number, o.status, o.shipping AS "shipping [decimal]", o.placed_at AS "placed_at [datetime]",
        c.name AS customer, COALESCE(o.status <> 'CANCELLED' AND c.name IS NOT NULL, 0) AS _servable
    FROM orders o LEFT JOIN customers c ON c.id = o.customer_id ORDER BY o.shop, o.number"""
LINES_OF_ORDER = """
    SELECT l.isbn, b.title, c.name, l.unit_price, l.quantity
    FROM order_lines l LEFT JOIN books b ON b.isbn = l.isbn LEFT JOIN categories c ON c.slug = b.category_slug
    WHERE l.shop = ? AND l.number = ? ORDER BY l.line DESC"""
AUTHORS_OF_ORDER = """
    SELECT a.name FROM order_lines l JOIN books b ON b.isbn = l.isbn JOIN book_authors ba ON ba.isbn = b.isbn
    LEFT JOIN authors a ON a.id = ba.author_id
    WHERE l.shop = ? AND l.number = ? ORDER BY l.line DESC, ba.position, ba.author_id"""


def expected_documents(connection: sqlite3.Connection, document_type: str) -> Iterator[Document]:
    """All documents of type "book" or "order", in the command line's JSON form, from one read transaction."""
    connection.execute("BEGIN")
    try:
        yield from list({"book": _books, "order": _orders}[document_type](connection))
    finally:
        connection.execute("ROLLBACK")


def _books(connection: sqlite3.Connection) -> Iterator[Document]:
    for row in _rows(connection, BOOKS):
        authors = connection.execute(AUTHORS_OF_BOOK, (row["isbn"],)).fetchall()
        stock = connection.execute(STOCK_OF_BOOK, (row["isbn"],)).fetchall()
        row["authors"], row["author_birthdays"], row["author_roles"] = _columns(authors, 3)
        row["warehouses"], row["quantities"], _ = _columns(stock, 3)
        row["available"] = sum(max((quantity or 0) - (reserved or 0), 0) for _, quantity, reserved in stock)
        yield Document(row["isbn"], row, bool(row.pop("_servable")))


def _orders(connection: sqlite3.Connection) -> Iterator[Document]:
    for row in _rows(connection, ORDERS):
        key = (row["shop"], row["number"])
        lines = connection.execute(LINES_OF_ORDER, key).fetchall()
        row["isbns"], row["titles"], row["categories"], prices, quantities = _columns(lines, 5)
        row["prices"] = [None if price is None else decimal_text(price) for price in prices]
        row["authors"] = [name for (name,) in connection.execute(AUTHORS_OF_ORDER, key)]
        costs = [Decimal(price or 0) * (count or 0) for price, count in zip(row["prices"], quantities, strict=True)]
        row["total"] = str(sum(costs, Decimal(row["shipping"] or 0)))
        row["pieces"] = sum(count or 0 for count in quantities)
        yield Document(key, row, bool(row.pop("_servable")))


def _rows(connection: sqlite3.Connection, query: str) -> Iterator[dict[str, Any]]:
    cursor = connection.execute(query)
    columns = converters(cursor.description)
    for values in cursor.fetchall():
        yield {
            name: value if convert is None or value is None else convert(value)
            for (name, convert), value in zip(columns, values, strict=True)
        }


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[position] for row in rows] for position in range(width)]
