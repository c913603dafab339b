"""Every engine of the Repo port. A new engine joins by one line in tests/support/engines.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import Engine
from tests.support.hbase_engine import EVERY_DURABLE_ENGINE, EVERY_ENGINE, opened


@pytest.fixture(params=EVERY_ENGINE)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with opened(request, request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=EVERY_DURABLE_ENGINE)
def durable_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with opened(request, request.param, tmp_path) as made:
        yield made
