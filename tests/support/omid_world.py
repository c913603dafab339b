"""Our engine and Omid's client on the same tables of a real HBase, one after the other.

Each has the oracle that it is used to, and neither oracle knows of the other. So nobody may decide beside the other:
who comes second names what the first has committed, our snapshot by `at_least`, Omid's by beginning until its start
lies above it. Both oracles' timestamps are the time, so that takes a millisecond at most; and what lies one after the
other can't be equal.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_bytes, token_hex

import pytest

from ops.engine.clock import SystemClock
from proto.errors import SettingsError, UnavailableError
from repo.api import Cell, Keep, Snapshot, TableSpec, Transaction, Version
from repo.hbase.cells import Row, Stored
from repo.hbase.commit_table import COMMIT, INVALID, CommitTable, row_of
from repo.hbase.names import TableNames, column_of
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.hbase.shadow_cells import PREFIX, shadow_column
from repo.hbase.thrift import ThriftCells
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from repo.oracle.state_machine import OracleLimits
from tests.support.cluster import RunningCluster
from tests.support.hbase import new_table, real_tables
from tests.support.omid import OmidShell, commits_in_hbase, omid_jars, tso
from tests.support.oracles import until

ITEMS, LINKS, GROUP = "items", "ref:items.parent", "a"
TABLES = (TableSpec(ITEMS, {GROUP: Keep.VERSIONED}), TableSpec(LINKS, {"": Keep.INDEX}))
DATA, SHADOW = column_of(GROUP), shadow_column(column_of(GROUP))


class DyingCells(ThriftCells):
    """Of a process that is dead, while `dead`, whenever shadow cells are to be written."""

    dead = False

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        if self.dead and any(PREFIX in column for columns in rows.values() for column in columns):
            raise UnavailableError("it is dead")
        super().put(table, timestamp, rows)

    def put_soon(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        with suppress(UnavailableError):  # at once, so that it is dead for these cells or not
            self.put(table, timestamp, rows)


class OmidWorld:
    """repo: ours; omid: a Java program on Omid's client. Values are of the group GROUP of the table ITEMS."""

    def __init__(
        self, cells: DyingCells, repo: HbaseRepo, oracle: InProcessOracle, names: TableNames, omid: OmidShell
    ) -> None:
        self.cells, self.repo, self.oracle, self.omid = cells, repo, oracle, omid
        self.table, self.links = names.data(ITEMS), names.data(LINKS)
        self.commit_table = CommitTable(cells, names.commit_table)
        self._commit_table_name = names.commit_table

    # ours

    def snapshot(self, after: int = 0) -> Snapshot:
        """At or above a commit of Omid's, of which our oracle knows nothing: its own timestamps must have passed it."""
        found: list[Snapshot] = []

        def reached() -> bool:
            self.repo.snapshot()  # gives out a timestamp: the time
            try:
                found.append(self.repo.snapshot(after))
            except UnavailableError:
                return False
            return True

        until(reached)
        return found[0]

    def write(self, values: Mapping[bytes, bytes | None], after: int = 0, dying: bool = False) -> int:
        """Commits them; None deletes. dying: before it could write shadow cells. Returns the commit timestamp."""
        transaction = Transaction(self.snapshot(after).timestamp)
        for row, value in values.items():
            transaction.writes[Cell(ITEMS, row, GROUP)] = value
        self.cells.dead = dying
        (outcome,) = self.repo.commit([transaction])
        self.cells.dead = False
        assert outcome.committed
        return outcome.commit_timestamp

    def read(self, row: bytes, after: int) -> Version | None:
        (version,) = self.snapshot(after).read(ITEMS, GROUP, [row])
        return version

    # Omid's

    def omid_reads(self, row: bytes, after: int) -> bytes:
        """In a transaction of its own."""
        self.omid.begin(after)
        value = self.omid.get(self.table, row, DATA)
        self.omid.rollback()
        return value

    def omid_writes(self, values: Mapping[bytes, bytes | None], after: int = 0, dying: bool = False) -> tuple[int, int]:
        """As `write`; returns the start timestamp, too."""
        start = self.omid.begin(after, forgetful=dying)
        for row, value in values.items():
            if value is None:
                self.omid.delete(self.table, row, DATA)
            else:
                self.omid.put(self.table, row, DATA, value)
        return start, self.omid.commit()

    # what is there

    def stored(self, row: bytes) -> Row:
        """Newest data and shadow cell."""
        return self.cells.get(self.table, [row], [DATA, SHADOW]).get(row, {})

    def version_of(self, row: bytes) -> int:
        """Of its newest data cell: the id of who wrote it."""
        return self.stored(row)[DATA].timestamp

    def shadow(self, row: bytes) -> Stored | None:
        return self.stored(row).get(SHADOW)

    def committed(self, id: int) -> Row:
        """The row of the commit table."""
        row = row_of(id)
        return self.cells.get(self._commit_table_name, [row], [COMMIT, INVALID]).get(row, {})


@contextmanager
def omid_world(cluster: RunningCluster, folder: Path) -> Iterator[OmidWorld]:
    try:
        omid_jars()
    except SettingsError as error:
        pytest.skip(str(error))
    prefix, home = new_table("omid") + ".", cluster.data / "cluster"
    names, tables, clock, nonce = TableNames(prefix), real_tables(cluster), SystemClock(), token_bytes(8)
    host, thrift_port = cluster.thrift.rsplit(":", 1)
    cells = DyingCells(host, int(thrift_port), clock)
    tables.require(oracle_tables(names))
    oracle = InProcessOracle(Oracle(oracle_storage(cells, names, nonce), clock, OracleLimits(cells_max=10_000)))
    repo = HbaseRepo(cells, tables, oracle, clock, nonce, HbaseSettings(prefix))
    repo.declare(TABLES)
    with (
        tso(home, folder / "tso", commits_in_hbase(names.commit_table)) as port,
        OmidShell(home, folder, port, names.commit_table) as shell,
    ):
        yield OmidWorld(cells, repo, oracle, names, shell)
    cells.close()


def new_row() -> bytes:
    """That nobody else has."""
    return token_hex(8).encode()
