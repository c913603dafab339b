"""Every engine of the Repo port. A new engine joins by one line in tests/support/engines.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import DURABLE_ENGINES, ENGINES, Engine


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with ENGINES[request.param](tmp_path) as made:
        yield made


@pytest.fixture(params=sorted(DURABLE_ENGINES))
def durable_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with DURABLE_ENGINES[request.param](tmp_path) as made:
        yield made
