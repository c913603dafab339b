"""The anomalies are tried on every engine of the Repo port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import Engine
from tests.support.hbase_engine import EVERY_ENGINE, opened


@pytest.fixture(params=EVERY_ENGINE)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with opened(request, request.param, tmp_path) as made:
        yield made
