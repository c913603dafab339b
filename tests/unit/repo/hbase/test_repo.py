"""What a client remembers from one call of its Repo to the next."""

import pytest

from proto.errors import UnavailableError
from repo.api import Transaction
from repo.hbase.memory import MemoryCells
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.repo import HbaseRepo
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from tests.support.engines import ITEMS, TABLES, ManualClock, key_of


def test_a_snapshot_is_never_below_an_own_commit_whichever_oracle_answers() -> None:
    clock, names = ManualClock(), TableNames()
    cells = MemoryCells(clock)
    cells.require(oracle_tables(names))
    former = Oracle(oracle_storage(cells, names, b"former"), clock)
    oracle = InProcessOracle(former)
    repo = HbaseRepo(cells, cells, oracle, clock, b"client")
    repo.declare(TABLES)
    oracle.leader = Oracle(oracle_storage(cells, names, b"successor"), clock)
    mine = Transaction(repo.snapshot().timestamp)
    mine.write(ITEMS, key_of(1), "a", b"mine")
    (outcome,) = repo.commit([mine])
    assert outcome.committed
    oracle.leader = former  # it has not noticed yet
    with pytest.raises(UnavailableError):
        repo.snapshot()
