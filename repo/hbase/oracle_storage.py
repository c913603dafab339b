"""The oracle's storage in HBase, put together."""

from collections.abc import Callable

from repo.hbase import commit_table, gc_state, state_cell
from repo.hbase.cells import Cells, Family
from repo.hbase.commit_table import CommitTable
from repo.hbase.gc_state import GcStateCell
from repo.hbase.names import TableNames
from repo.hbase.state_cell import StateCell
from repo.oracle.storage import OracleStorage


def oracle_tables(names: TableNames) -> dict[str, dict[str, Family]]:
    """For repo.hbase.cells.Tables.require."""
    return {
        names.oracle: state_cell.FAMILIES,
        names.commit_table: commit_table.FAMILIES,
        names.gc: gc_state.FAMILIES,
    }


def oracle_storage(
    cells: Cells, names: TableNames, nonce: bytes, pause: Callable[[int], None] = lambda attempt: None
) -> OracleStorage:
    """For one candidate; nonce and pause as StateCell's."""
    gc_state_cell = GcStateCell(cells, names.gc, nonce)
    return OracleStorage(
        StateCell(cells, names.oracle, nonce, pause),
        CommitTable(cells, names.commit_table),
        sweep_horizon=lambda: gc_state_cell.read().sweep_horizon,
    )
