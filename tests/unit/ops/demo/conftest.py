"""A sample database, small enough to make for each test."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from ops.demo import generator, schema
from ops.demo.scale import SCALES


@pytest.fixture
def source_file(tmp_path: Path) -> Path:
    return tmp_path / "ads.db"


@pytest.fixture
def source(source_file: Path) -> Iterator[sqlite3.Connection]:
    connection = schema.connect(source_file)
    schema.create(connection)
    generator.generate(connection, SCALES["tiny"], Random(1))
    yield connection
    connection.close()
