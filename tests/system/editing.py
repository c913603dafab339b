"""The other program: edits a book shop without end, torn pairs among them, until it is killed."""

import sqlite3
import sys
import time
from pathlib import Path
from random import Random

from tests.system.bookshop.edits import edit
from tests.system.bookshop.seed import connect, put

TORN, TORN_BOOKS = "torn", ("torn-1", "torn-2", "torn-3")


def torn_pair(connection: sqlite3.Connection, number: int) -> None:
    """Title and category of these books say the same number; both change in one transaction, in two tables."""
    connection.execute("BEGIN IMMEDIATE")
    put(connection, "categories", [(TORN, str(number), None)])
    for book in TORN_BOOKS:
        put(connection, "books", [(book, str(number), "ab", TORN, "1.00", 1, None, 1, None, None, None, None)])
    connection.execute("COMMIT")


def main(database: Path, seed: int, rate: float) -> None:
    connection, random = connect(database), Random(seed)
    number = 0
    while True:
        number += 1
        if number % 3 == 0:
            torn_pair(connection, number)
        else:
            edit(connection, random)
        time.sleep(1 / rate)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
