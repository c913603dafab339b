"""Book shops and ads, small, with the whole way behind them in this process."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from proto.flows.loader import loads
from tests.support.whole import Whole
from tests.system.bookshop import handlers
from tests.system.bookshop.seed import connect, seed
from tests.system.club import FLOWS, club

BOOKSHOP = Path(__file__).with_name("bookshop")
Make = Callable[..., Whole]


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Make]:
    """Makes them, and closes them in the end: `whole({"main": url}, flows, [handlers], "data")`."""
    made: list[Whole] = []

    def make(sources, flows, modules=(), name="data"):  # type: ignore[no-untyped-def]
        made.append(Whole(tmp_path / name, sources, flows, modules))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The book shop's database, in shop.db."""
    connection = connect(tmp_path / "shop.db")
    seed(connection, Random(1))
    yield connection
    connection.close()


@pytest.fixture
def bookshop(tmp_path: Path, shop: sqlite3.Connection, whole: Make) -> Whole:
    """The book shop with its index, not settled yet."""
    return whole({"main": f"sqlite:///{tmp_path / 'shop.db'}"}, BOOKSHOP / "flows.toml", [handlers])


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The club's database, in club.db."""
    connection = club(tmp_path / "club.db")
    yield connection
    connection.close()


@pytest.fixture
def index(tmp_path: Path, editor: sqlite3.Connection, whole: Make) -> Whole:
    """The club with its index, settled."""
    made = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(FLOWS))
    made.settle()
    return made
