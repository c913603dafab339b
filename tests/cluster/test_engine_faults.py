"""The engine on real servers that die under it: a sum that every transaction keeps stays what it was, and whoever was
told "committed" was."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from proto.errors import UnavailableError
from repo.api import Keep, OutcomeKind, TableSpec, Transaction
from tests.support.cluster import RunningCluster
from tests.support.engines import Engine, key_of
from tests.support.hbase_engine import real_engine

ACCOUNTS = [key_of("account", number) for number in range(6)]
BANK = TableSpec("bank", {"a": Keep.VERSIONED})


def transfers(engine: Engine, count: int) -> list[Transaction]:
    """Two accounts each: one coin from one to the other."""
    with engine.repo.snapshot() as snapshot:
        found = snapshot.read("bank", "a", ACCOUNTS)
        made = [Transaction(snapshot.timestamp) for _ in range(count)]
    values = [int(version.value) for version in found if version is not None and version.value]
    assert sum(values) == 600, "of every snapshot"
    for number, transaction in enumerate(made):
        transaction.write("bank", ACCOUNTS[2 * number], "a", b"%d" % (values[2 * number] - 1))
        transaction.write("bank", ACCOUNTS[2 * number + 1], "a", b"%d" % (values[2 * number + 1] + 1))
    return made


def run(engine: Engine, fault: Callable[[], None]) -> int:
    """Transfers until the fault is over and ten more batches are committed. Returns how many were."""
    broken = threading.Thread(target=fault)
    committed = after = 0
    while after < 10:
        if committed >= 30 and not broken.ident:
            broken.start()
        with suppress(UnavailableError):
            outcomes = engine.repo.commit(transfers(engine, 3))
            assert OutcomeKind.UNKNOWN not in [outcome.kind for outcome in outcomes]
            committed += sum(outcome.committed for outcome in outcomes)
            after += bool(broken.ident) and not broken.is_alive()
    broken.join()
    return committed


@pytest.mark.parametrize("how", ["thrift restarted", "region server killed", "thrift paused"])
def test_the_sum_stays_and_what_was_committed_is_counted(
    hbase_faults: RunningCluster, tmp_path: Path, how: str
) -> None:
    def fault() -> None:
        if how == "thrift restarted":
            hbase_faults.restart("thrift")
        elif how == "region server killed":
            hbase_faults.kill("regionserver")
            hbase_faults.up()
        else:
            with hbase_faults.paused("thrift"):
                threading.Event().wait(1.0)

    with real_engine(hbase_faults, tmp_path, [BANK]) as engine:
        first = engine.begin()
        for account in ACCOUNTS:
            first.write("bank", account, "a", b"100")
        assert engine.commit(first)[0].committed
        committed = run(engine, fault)
        with engine.repo.snapshot() as snapshot:
            histories = [snapshot.history("bank", "a", account, limit=10_000) for account in ACCOUNTS]
        assert sum(len(history) - 1 for history in histories) == 2 * committed
