"""The anomalies are tried on every engine of the Repo port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import ENGINES, Engine


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with ENGINES[request.param](tmp_path) as made:
        yield made
