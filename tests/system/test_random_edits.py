"""End to end in one process: random transactions by seed, then every document equals the join made in SQL."""

import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from ops.demo.check import check
from ops.demo.compare import Mismatch, compare_documents
from ops.demo.editor import edits
from ops.demo.generator import generate
from ops.demo.sample import FLOWS
from ops.demo.scale import SCALES
from ops.demo.schema import connect, create
from ops.demo.signal_values import nobody_says
from tests.support.whole import Whole
from tests.system.bookshop.edits import edit
from tests.system.bookshop.expected import expected_documents


def differences(bookshop: Whole, shop: sqlite3.Connection) -> list[Mismatch]:
    return [
        mismatch
        for document_type in ("book", "order")
        for found in (bookshop.documents(document_type), bookshop.served(document_type))
        for mismatch in compare_documents(expected_documents(shop, document_type), found)
    ]


def never_back(whole: Whole) -> bool:
    """No document was published with a lower sequence than before."""
    newest: dict[tuple[str, bytes], int] = {}
    for delta in whole.published():
        if delta.sequence < newest.get((delta.type, delta.key), 0):
            return False
        newest[delta.type, delta.key] = delta.sequence
    return True


@pytest.mark.parametrize("number", range(6))
def test_book_shop(bookshop: Whole, shop: sqlite3.Connection, number: int) -> None:
    random = Random(number)
    for _ in range(random.randrange(50)):
        bookshop.turn()  # some edits come in the middle of the bootstrap
    for _ in range(12):
        for _ in range(random.randrange(12)):
            edit(shop, random)
            if random.random() < 0.5:
                bookshop.turn()
        if random.random() < 0.3:
            bookshop.restart()
        bookshop.settle()
        assert differences(bookshop, shop) == []
    assert bookshop.letters() == [] and bookshop.errors() == []
    assert never_back(bookshop)


@pytest.fixture
def ads(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with connect(tmp_path / "ads.db") as connection:
        create(connection)
        generate(connection, SCALES["tiny"], Random(1))
        yield connection
    connection.close()


@pytest.mark.parametrize("number", range(3))
def test_ads(ads: sqlite3.Connection, tmp_path: Path, whole, number: int) -> None:  # type: ignore[no-untyped-def]
    index = whole({"main": f"sqlite:///{tmp_path / 'ads.db'}"}, FLOWS)
    random = Random(number)
    endless = edits(ads, random, index.clock.now_ms)
    for _ in range(8):
        for _ in islice(endless, random.randrange(30)):
            if random.random() < 0.5:
                index.turn()
        index.settle()
        assert list(check(ads, index.documents("ad"), nobody_says)) == []
        assert list(check(ads, index.served("ad"), nobody_says)) == []
    assert index.letters() == [] and index.errors() == []
    assert never_back(index)
