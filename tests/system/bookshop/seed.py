"""A small book shop database, the same from the same seed: keys that are odd, rows that point to nothing."""

import json
import sqlite3
import sys
from pathlib import Path
from random import Random
from typing import Any

CATEGORIES = (
    ("", "Everything", None),
    ("fiction", "Fiction", ""),
    ("fiction/été", "Été", "fiction"),
    ('sci "fi"', "Science fiction", "fiction"),
    ("space opera", None, 'sci "fi"'),
    ("loop", "Its own parent", "loop"),
    ("orphan", "Orphan", "no such category"),
)
PUBLISHERS = (("ab", "Ābel & Söhne", "DE"), ("AB", "ab, in capitals", None), ("x", "Blocked", "XX"))
WAREHOUSES = (("DE", "Köln", "West"), ("DE", "Berlin", None), ("JP", "東京", "East"), ("DE\u00df", "", "Odd"))
SHOPS = ("online", "Zürich 🏔", "a'b")
AUTHORS = 12
CUSTOMERS = 8


def connect(file: str | Path) -> sqlite3.Connection:
    """As another program would open it: transactions begin when told to."""
    return sqlite3.connect(file, timeout=30.0, isolation_level=None)


def seed(connection: sqlite3.Connection, random: Random, books: int = 40, orders: int = 60) -> None:
    """Makes the tables of schema.sql and fills them."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))
    connection.execute("BEGIN IMMEDIATE")
    put(connection, "categories", CATEGORIES)
    put(connection, "publishers", PUBLISHERS)
    put(connection, "warehouses", WAREHOUSES)
    put(connection, "authors", [(number, f"Author {number}", day(random)) for number in range(AUTHORS)])
    put(connection, "customers", [(n, f"Customer {n}" if n % 4 else None, f"{n}@x.example") for n in range(CUSTOMERS)])
    for number in range(books):
        put_book(connection, isbn(number), random)
    for number in range(orders):
        put_order(connection, SHOPS[number % len(SHOPS)], number // len(SHOPS) - 3, books, random)
    connection.execute("COMMIT")


def put(connection: sqlite3.Connection, table: str, rows: Any) -> None:
    """Inserts or replaces whole rows."""
    width = len(connection.execute(f"SELECT * FROM {table} LIMIT 0").description)
    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * width)})", rows)


def put_book(connection: sqlite3.Connection, book: str, random: Random) -> None:
    """A book with its authors and its stock."""
    slugs = [slug for slug, _, _ in CATEGORIES]
    price = random.choice((None, 0, "9.90", f"{random.randrange(10_000) / 100:.2f}"))
    row = (
        book, random.choice((None, "", "Dune", "Été 🌞")), random.choice(("ab", "AB", "x", "gone", None)),
        random.choice((*slugs, None)), price, random.choice((None, -1, 300, 2**60)), day(random),
        random.choice((0, 1, 1, None)), random.choice((None, 4.5, 1e-9)),
        random.choice((None, b"", random.randbytes(4))),
        random.choice((None, "[]", json.dumps({"b": [1, 2.5, None], "a": "ü"}))), moment(random),
    )  # fmt: skip
    put(connection, "books", [row])
    authors = random.sample(range(AUTHORS + 1), random.randrange(4))
    put(connection, "book_authors", [(book, a, random.choice((None, 1, 2)), "writer") for a in authors])
    for country, city, _ in random.sample(WAREHOUSES, random.randrange(3)):
        put(connection, "stock", [(book, country, city, random.randrange(20), random.choice((None, 0, 5)))])


def put_order(connection: sqlite3.Connection, shop: str, number: int, books: int, random: Random) -> None:
    """An order with its lines."""
    customer, status = random.choice((None, *range(CUSTOMERS + 1))), random.choice(("PAID", "SENT", "CANCELLED", None))
    shipping = random.choice((None, 0, "4.99"))
    put(connection, "orders", [(shop, number, customer, status, shipping, moment(random))])
    for line in range(random.randrange(4)):
        price = random.choice((None, "0.10", f"{random.randrange(5_000) / 100:.2f}"))
        book = isbn(random.randrange(books + 2))
        put(connection, "order_lines", [(shop, number, line, book, random.choice((None, 1, 2, 7)), price)])


def isbn(number: int) -> str:
    """Keys of text, some of which hold digits only."""
    return f"{number:04d}" if number % 2 else f"978-{number}"


def day(random: Random) -> str:
    return f"{random.choice((1, 1900, 2026, 9999)):04d}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"


def moment(random: Random) -> str | None:
    return random.choice((None, f"{day(random)} 10:{random.randrange(60):02d}:00", f"{day(random)}T23:59:59.125"))


if __name__ == "__main__":
    seed(connect(sys.argv[1]), Random(1))
