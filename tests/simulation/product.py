"""How the product's engine and oracle are put together for a process of a run."""

from collections.abc import Callable

import msgspec

from proto.ports.clock import Clock
from repo.hbase.garbage import GarbageSettings
from repo.hbase.gc_state import GcState
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.hbase.state_cell import NONCE_BYTES
from repo.oracle.oracle import Oracle
from repo.oracle.port import TimestampOracle
from repo.oracle.state_machine import OracleLimits
from tests.simulation.faults.cells import FaultyCells
from tests.simulation.faults.plan import CALM, Plan

NAMES = TableNames()
AGE_MS_MAX = 100
"""Of a transaction, for the oracle."""
SETTLED_MS = 200
"""Above the age and the latest late write together."""
SPARE_ID_MS_MAX = 30.0
"""Of an id that came with a snapshot, for clients."""
CEILING_MS = 20
"""Each take-over makes timestamps run ahead of the time by so much."""


def nonce(name: str) -> bytes:
    """Of the oracle with this name."""
    return name.encode().ljust(NONCE_BYTES, b"_")


def gc_watermark(stored: bytes) -> int:
    """Of the bytes of garbage collection's state."""
    return msgspec.msgpack.decode(stored, type=GcState).watermark


def oracle(cells: FaultyCells, clock: Clock, nonce: bytes, pause: Callable[[int], None], plan: Plan = CALM) -> Oracle:
    """A candidate; returns when it has taken over."""
    cells.require(oracle_tables(NAMES))
    storage = oracle_storage(cells, NAMES, nonce, pause)
    limits = OracleLimits(
        cells_max=plan.cells_max,
        age_ms_max=AGE_MS_MAX,
        ceiling_ms=CEILING_MS,
        remembered_max=plan.remembered_max,
        flush_max=plan.flush_max,
    )
    return Oracle(storage, clock, limits, pause)


def repo(cells: FaultyCells, oracle: TimestampOracle, clock: Clock, nonce: bytes, plan: Plan = CALM) -> HbaseRepo:
    """A client's."""
    return HbaseRepo(cells, cells, oracle, clock, nonce, settings(plan))


def settings(plan: Plan = CALM) -> HbaseSettings:
    """Of clients."""
    return HbaseSettings(
        cached_ids_max=plan.cached_ids_max,
        spare_id_ms_max=SPARE_ID_MS_MAX,
        garbage=GarbageSettings(settled_ms=SETTLED_MS),
    )
