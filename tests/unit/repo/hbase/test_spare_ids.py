"""Ids that came with a snapshot: above it, for one transaction only, and not for long."""

import pytest

from repo.api import Cell, OutcomeKind, Transaction
from repo.hbase.spare_ids import SpareIds
from repo.oracle.in_process import InProcessOracle
from repo.oracle.port import CommitRequest
from tests.support.engines import ITEMS, LINKS, ManualClock, key_of
from tests.support.watched_hbase import Calls, WatchedOracle, World

AGE_MS_MAX = 1_000.0


@pytest.fixture
def oracle() -> InProcessOracle:
    return World().oracle


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids(oracle: InProcessOracle, calls: Calls, clock: ManualClock) -> SpareIds:
    """Of a process that has committed before."""
    made = SpareIds(WatchedOracle(oracle, calls), clock, AGE_MS_MAX)
    made.take([0])
    calls.names.clear()
    return made


def test_the_id_of_a_snapshot_is_taken_for_it_without_a_call(ids: SpareIds, calls: Calls) -> None:
    snapshot = ids.snapshot()
    (id,) = ids.take([snapshot])
    assert id > snapshot
    assert calls.names == ["begin"]


def test_nobody_gets_an_id_twice(ids: SpareIds, calls: Calls) -> None:
    snapshots = [ids.snapshot() for _ in range(3)]
    taken = [*ids.take(snapshots[:2]), *ids.take(snapshots), *ids.take(snapshots[:1])]
    assert len(set(taken)) == 6
    assert calls.names == ["begin"] * 5, "three with snapshots; then one call for all that are short"


def test_an_id_below_the_snapshot_is_not_for_it(ids: SpareIds, oracle: InProcessOracle) -> None:
    early = ids.snapshot()
    (begun,) = oracle.begin()
    (decision,) = oracle.commit([CommitRequest(*begun, written=(1,))])
    assert decision.kind is OutcomeKind.COMMITTED
    late = ids.snapshot()
    assert early < late == decision.timestamp
    for_late, for_early = ids.take([late, early])
    assert for_early < late < for_late, "each its own"


def test_an_old_id_is_not_used_for_the_oracle_might_refuse_it(ids: SpareIds, calls: Calls, clock: ManualClock) -> None:
    snapshot = ids.snapshot()
    clock.ms += AGE_MS_MAX + 1
    ids.take([snapshot])
    assert calls.names == ["begin", "begin"]


def test_as_many_are_kept_as_are_likely_to_be_used(ids: SpareIds) -> None:
    for _ in range(1_000):
        ids.snapshot()
    assert len(ids._spare) <= 64


def test_of_two_members_that_write_an_entry_the_later_one_has_the_higher_id() -> None:
    """Ids came with snapshots of two threads, of which the second one was faster to keep its own."""
    repo = World().client()
    repo.commit([Transaction(0, {Cell(ITEMS, key_of(0), "a"): b"x"})])
    snapshots = [repo.last_timestamp() for _ in range(2)]
    repo._ids._spare = dict(reversed(repo._ids._spare.items()))
    members = [
        Transaction(snapshot, {Cell(ITEMS, key_of(number), "a"): b"x"}) for number, snapshot in enumerate(snapshots, 1)
    ]
    for number, member in enumerate(members):
        member.write_index(LINKS, b"entry", b"%d" % number)
    outcomes = repo.commit(members)
    assert outcomes[0].commit_timestamp < outcomes[1].commit_timestamp
    with repo.snapshot() as snapshot:
        assert snapshot.scan_prefixes(LINKS, [b""], 10) == [[(b"entry", b"1")]]
