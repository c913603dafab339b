"""The book shop without processes: what its flows file and handlers build equals the join made in SQL."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from ops.demo.compare import compare_documents
from proto.flows.loader import load
from tests.support.filled import filled, printed_documents
from tests.system.bookshop import handlers
from tests.system.bookshop.edits import edit
from tests.system.bookshop.expected import expected_documents
from tests.system.bookshop.seed import connect, seed

FLOWS = Path(__file__).with_name("flows.toml")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "shop.db")
    seed(connection, Random(1))
    yield connection
    connection.close()


@pytest.mark.parametrize("count", [0, 50, 400])
@pytest.mark.parametrize("document_type", ["book", "order"])
def test_every_document_equals_the_join(shop: sqlite3.Connection, document_type: str, count: int) -> None:
    random = Random(count)
    for _ in range(count):
        edit(shop, random)
    flows = load(FLOWS)
    environment = filled(flows, shop, handlers)
    for order in shop.execute("SELECT shop, number FROM orders"):
        environment.run(handlers.add_up_order, "orders", *order)
    actual = {document.id: document for document in printed_documents(environment, flows, document_type, shop)}
    assert len(actual) > 20
    assert list(compare_documents(expected_documents(shop, document_type), actual)) == []


def test_the_same_seed_makes_the_same_edits(tmp_path: Path) -> None:
    dumps = []
    for name in ("a.db", "b.db"):
        connection, random = connect(tmp_path / name), Random(3)
        seed(connection, random)
        for _ in range(100):
            edit(connection, random)
        dumps.append(list(connection.iterdump()))
        connection.close()
    assert dumps[0] == dumps[1]
