"""Random histories against a model that is plainly right: a dict of all versions that ever were."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from proto.errors import TooOldError
from repo.api import Cell, OutcomeKind, Transaction, Version
from tests.support.engines import DOCUMENTS, ITEMS, key_of
from tests.support.hbase_engine import EVERY_DURABLE_ENGINE, opened

KEYS = [key_of(number) for number in range(4)]
GROUPS = [(ITEMS, "a"), (ITEMS, "b"), (DOCUMENTS, "content"), (DOCUMENTS, "build")]
NEWEST = (DOCUMENTS, "build")
CELLS = st.builds(lambda key, group: Cell(group[0], key, group[1]), st.sampled_from(KEYS), st.sampled_from(GROUPS))
VALUES = st.one_of(
    st.none(), st.sampled_from([b"\0", b"\1" * 13, b"v" * 199, b"w" * 200]), st.binary(min_size=1, max_size=5)
)
MEMBERS = st.lists(
    st.tuples(st.integers(0, 5), st.dictionaries(CELLS, VALUES, max_size=3), st.sets(CELLS, max_size=2)),
    min_size=1,
    max_size=4,
)


class RepoAgainstModel(RuleBasedStateMachine):
    """history: all versions of each cell, oldest first. watermark: the highest that may have been reached. opened_at:
    the newest snapshot when the Repo was opened last; an engine need not know of conflicts before."""

    name: str
    request: pytest.FixtureRequest

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.history: dict[Cell, list[Version]] = {}
        self.watermark = self.opened_at = 0
        self.open()

    @initialize()
    def begin(self) -> None:
        self.snapshots = [self.engine.repo.snapshot()]

    @rule(members=MEMBERS)
    def commit(self, members: list[tuple[int, dict[Cell, bytes | None], set[Cell]]]) -> None:
        transactions = []
        for which, writes, checks in members:
            snapshot = self.snapshots[-1 - which % len(self.snapshots)]
            transactions.append(Transaction(snapshot.timestamp, dict(writes), set(checks)))
        for transaction, outcome in zip(transactions, self.engine.repo.commit(transactions), strict=True):
            touched = {*transaction.writes, *transaction.checks}
            newer = {
                cell: self.history[cell][-1].commit_timestamp
                for cell in touched
                if cell in self.history and self.history[cell][-1].commit_timestamp > transaction.snapshot_timestamp
            }
            if outcome.kind is OutcomeKind.TOO_OLD:
                assert transaction.snapshot_timestamp < max(self.watermark, self.opened_at)
            elif newer:
                assert outcome.kind is OutcomeKind.CONFLICT
                assert outcome.cell is not None
                assert newer[outcome.cell] == outcome.commit_timestamp
            else:
                assert outcome.committed
                for cell, value in transaction.writes.items():
                    self.history.setdefault(cell, []).append(Version(outcome.commit_timestamp, value))

    @rule()
    def take_snapshot(self) -> None:
        self.snapshots.append(self.engine.repo.snapshot())

    @rule(which=st.integers(0, 5), group=st.sampled_from(GROUPS))
    def read(self, which: int, group: tuple[str, str]) -> None:
        snapshot = self.snapshots[-1 - which % len(self.snapshots)]
        try:
            found = snapshot.read(*group, KEYS)
            scanned = snapshot.scan(*group)
            histories = [snapshot.history(*group, key) for key in KEYS]
        except TooOldError:
            assert snapshot.timestamp < self.watermark
            return
        seen = [self.versions(Cell(group[0], key, group[1]), snapshot.timestamp)[:1] for key in KEYS]
        wanted = [self.live(versions[0]) if versions else None for versions in seen]
        assert [self.live(version) for version in found] == wanted
        assert scanned == [(key, version) for key, version in zip(KEYS, wanted, strict=True) if version]
        for key, versions in zip(KEYS, histories, strict=True):
            known = self.versions(Cell(group[0], key, group[1]), snapshot.timestamp)
            assert versions == known[: len(versions)], "in order, without a gap"
            rest = known[len(versions) :]
            assert all(version.commit_timestamp < self.watermark or version.value is None for version in rest)

    @precondition(lambda self: any(self.history.values()))
    @rule(back=st.integers(0, 6), limit=st.integers(1, 20))
    def collect_garbage(self, back: int, limit: int) -> None:
        stamps = sorted({version.commit_timestamp for versions in self.history.values() for version in versions})
        before = stamps[max(0, len(stamps) - 1 - back)]
        self.engine.repo.collect_garbage(before, limit)
        self.watermark = max(self.watermark, before)

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.engine.clock.ms += 60_000 * minutes

    @rule()
    def open_again(self) -> None:
        """Snapshots are timestamps: taken again as of the same moment, they see the same."""
        stamps = [snapshot.timestamp for snapshot in self.snapshots]
        self.opened.__exit__(None, None, None)
        self.open()
        self.snapshots = [self.engine.repo.snapshot()]
        self.opened_at = self.snapshots[0].timestamp
        for timestamp in stamps:
            try:
                self.snapshots.append(self.engine.repo.snapshot_at(timestamp))
            except TooOldError:
                assert timestamp < self.watermark

    @invariant()
    def last_timestamp_is_the_newest(self) -> None:
        stamps = [version.commit_timestamp for versions in self.history.values() for version in versions]
        assert self.engine.repo.last_timestamp() >= max(stamps, default=0)

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)
        self.folder.cleanup()

    def open(self) -> None:
        self.opened = opened(self.request, self.name, Path(self.folder.name))
        self.engine = self.opened.__enter__()

    def versions(self, cell: Cell, timestamp: int) -> list[Version]:
        """What a snapshot sees of a cell, newest first."""
        known = self.history.get(cell, [])[::-1]
        if (cell.table, cell.group) == NEWEST:
            return known[:1]
        return [version for version in known if version.commit_timestamp <= timestamp]

    @staticmethod
    def live(version: Version | None) -> Version | None:
        """A tombstone may be collected: a reader must not tell it from nothing."""
        return version if version is not None and version.value is not None else None


SETTINGS = settings(stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", EVERY_DURABLE_ENGINE)
def test_repo_against_model(request: pytest.FixtureRequest, name: str) -> None:
    machine = type(f"{name} against model", (RepoAgainstModel,), {"name": name, "request": request})
    examples = 2 if name == "hbase" else 60  # its twin has told most of what there is to tell
    run_state_machine_as_test(machine, settings=settings(SETTINGS, max_examples=examples))
