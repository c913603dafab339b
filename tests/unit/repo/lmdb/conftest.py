"""An environment and an engine in a folder of the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from repo.lmdb.environment import LmdbEnvironment
from tests.support.engines import Engine, ManualClock, lmdb_engine


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[LmdbEnvironment]:
    opened = LmdbEnvironment(tmp_path, ManualClock(), nonce=b"test")
    yield opened
    opened.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with lmdb_engine(tmp_path) as made:
        yield made
