"""Every implementation of the cell port, each test with a table of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from repo.hbase.cells import Cells, Family, Tables
from repo.hbase.memory import MemoryCells
from tests.support.engines import ManualClock

FAMILIES = {"d": Family(versions=2**31 - 1), "n": Family(versions=3, scope=1)}


@dataclass
class Served:
    """A port, and a table there with FAMILIES."""

    cells: Cells
    tables: Tables
    table: str


@pytest.fixture
def served() -> Iterator[Served]:
    memory = MemoryCells(ManualClock())
    memory.require({"t": FAMILIES})
    yield Served(memory, memory, "t")
