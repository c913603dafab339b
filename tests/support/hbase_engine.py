"""The HBase engine on real servers, and all engines for a suite: a new engine joins in engines.py, or here."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from secrets import token_hex

import pytest
from _pytest.mark import ParameterSet

from repo.api import TableSpec
from tests.support.cluster import RunningCluster
from tests.support.engines import DURABLE_ENGINES, ENGINES, TABLES, Engine, ManualClock, hbase_engine
from tests.support.hbase import real_cells, real_tables
from tests.support.row_prefix import RowPrefixCells

HBASE = pytest.param("hbase", marks=pytest.mark.cluster)
EVERY_ENGINE: list[str | ParameterSet] = [*sorted(ENGINES), HBASE]
EVERY_DURABLE_ENGINE: list[str | ParameterSet] = [*sorted(DURABLE_ENGINES), HBASE]

_worlds: dict[Path, tuple[bytes, ManualClock]] = {}


def opened(request: pytest.FixtureRequest, name: str, folder: Path) -> AbstractContextManager[Engine]:
    """Opening the same folder again finds the same data."""
    if name in ENGINES:
        return ENGINES[name](folder)
    return real_engine(request.getfixturevalue("hbase"), folder)


@contextmanager
def real_engine(cluster: RunningCluster, folder: Path, tables: Sequence[TableSpec] = TABLES) -> Iterator[Engine]:
    """In tables that all tests share, in rows that only this folder has."""
    prefix, clock = _worlds.setdefault(folder, (token_hex(6).encode() + b"/", ManualClock()))
    cells = real_cells(cluster)
    with hbase_engine(RowPrefixCells(cells, prefix), real_tables(cluster), clock, tables, "engines.") as engine:
        yield engine
    cells.close()
