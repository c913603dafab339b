"""Regions are split, moved and compacted in the midst of a scan, of a commit, and of the collector's walk.

Each in a table of its own: of a region that was at both servers and then split, HBase's client asks both for two
minutes (each has moved it to the other), before it looks into hbase:meta. Our calls end with an error then, and work
when they are made again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.engine.clock import SystemClock
from proto.errors import SettingsError
from repo.api import Keep, TableSpec, Transaction
from repo.hbase.batches import AnswerSizes
from repo.hbase.names import TableNames
from repo.hbase.thrift import ThriftCells
from tests.support.cluster import RunningCluster
from tests.support.engines import Engine, ManualClock, hbase_engine, key_of
from tests.support.hbase import new_table, real_tables
from tests.support.regions import RegionShell, region_shell

ROWS, ANSWER_ROWS = 600, 25
NAMES = SCANNED, WRITTEN, WALKED, ZOO = "scanned", "written", "walked", "zoo"
TABLES = [TableSpec(name, {"a": Keep.VERSIONED}) for name in NAMES]
HOUR_MS = 3_600_000


class SmallAnswers(AnswerSizes):
    """So that a scan is many calls. then: what happens behind some of them, by their number."""

    def __init__(self) -> None:
        super().__init__()
        self.then: dict[int, Callable[[], None]] = {}
        self._seen = 0

    def happens(self, *events: Callable[[], None]) -> None:
        """One after each third answer from now on."""
        self.then = {self._seen + 3 * number + 1: event for number, event in enumerate(events)}

    def rows_max(self, table: str, columns: Sequence[bytes]) -> int:
        return ANSWER_ROWS

    def saw(self, *answer: object) -> None:
        self._seen += 1
        if event := self.then.pop(self._seen, None):
            event()


@dataclass
class World:
    engine: Engine
    answers: SmallAnswers
    shell: RegionShell
    names: TableNames

    def write_all(self, table: str, value: bytes | None, numbers: Sequence[int] = range(ROWS)) -> int:
        transaction = self.engine.begin()
        for number in numbers:
            if value is None:
                transaction.delete(table, key_of(number), "a")
            else:
                transaction.write(table, key_of(number), "a", value)
        (outcome,) = self.engine.commit(transaction)
        assert outcome.committed
        return outcome.commit_timestamp

    def scan(self, table: str, at: int | None = None) -> list[tuple[bytes, bytes | None]]:
        repo = self.engine.repo
        with repo.snapshot() if at is None else repo.snapshot_at(at) as snapshot:
            return [(key, version.value) for key, version in snapshot.scan(table, "a", limit=2 * ROWS)]

    def split_at(self, table: str, number: int) -> Callable[[], None]:
        return lambda: self.shell.split(self.names.data(table), key_of(number))

    def changes(self, table: str) -> list[Callable[[], None]]:
        """All that may happen to its one region."""
        name = self.names.data(table)
        move, compact = (lambda: self.shell.move(name)), (lambda: self.shell.compact(name))
        return [self.split_at(table, 200), move, self.split_at(table, 400), compact]

    def all_happened(self) -> bool:
        return not self.answers.then


@pytest.fixture
def world(hbase_faults: RunningCluster, tmp_path: Path) -> Iterator[World]:
    host, port = hbase_faults.thrift.rsplit(":", 1)
    cells, tables = ThriftCells(host, int(port), SystemClock(), ways=1), real_tables(hbase_faults)
    cells._answers = answers = SmallAnswers()
    names = TableNames(new_table("regions") + ".")
    with (
        hbase_engine(cells, tables, ManualClock(), TABLES, names.prefix) as engine,
        region_shell(hbase_faults, tmp_path) as shell,
    ):
        yield World(engine, answers, shell, names)
    for table in (*map(names.data, NAMES), names.commit_table, names.catalog, names.gc, names.oracle):
        tables.drop(table)
    cells.close()


def rows(value: bytes, numbers: Sequence[int] = range(ROWS)) -> list[tuple[bytes, bytes | None]]:
    return [(key_of(number), value) for number in numbers]


def test_regions_that_change_in_the_midst_of_it(world: World) -> None:
    a_scan(world)
    a_commit(world)
    a_walk(world)
    a_disabled_table(world)


def a_scan(world: World) -> None:
    """Every row once, as of its snapshot, whatever is written meanwhile."""
    old = world.write_all(SCANNED, b"old")
    world.answers.happens(*world.changes(SCANNED), lambda: world.write_all(SCANNED, b"new") and None)
    assert world.scan(SCANNED, old) == rows(b"old")
    assert world.all_happened()
    assert world.scan(SCANNED) == rows(b"new")


def a_commit(world: World) -> None:
    """It reads what is moving, and writes what has moved."""
    keys = [key_of(number) for number in range(ROWS)]
    world.write_all(WRITTEN, b"old")
    world.answers.happens(*world.changes(WRITTEN))
    with world.engine.repo.snapshot() as snapshot:
        assert [version.value for version in snapshot.read(WRITTEN, "a", keys) if version] == [b"old"] * ROWS
        transaction = Transaction(snapshot.timestamp)
    assert world.all_happened()
    for key in keys:
        transaction.write(WRITTEN, key, "a", b"new")
    world.shell.compact(world.names.data(WRITTEN))
    (outcome,) = world.engine.commit(transaction)
    assert outcome.committed
    assert world.scan(WRITTEN) == rows(b"new")


def a_walk(world: World) -> None:
    """Nothing is left out, nothing goes that is needed, and then the commit table is swept."""
    gone = range(100, 300)
    world.write_all(WALKED, b"old")
    world.write_all(WALKED, b"new")
    world.write_all(WALKED, None, gone)
    world.engine.clock.ms += HOUR_MS
    newest = world.engine.put(0, b"newest", table=ZOO)
    world.answers.happens(*world.changes(WALKED))
    removed = [world.engine.repo.collect_garbage(newest, limit) for limit in (3 * ROWS, 100_000, 100_000)]
    assert world.all_happened()
    # Of SCANNED and WRITTEN one version a row; of WALKED one, too, and all three of a row that was deleted.
    assert sum(removed) == 3 * ROWS + 2 * len(gone)
    world.shell.compact(world.names.data(WALKED))  # what was masked would come to light, or be gone
    assert world.scan(WALKED) == rows(b"new", [number for number in range(ROWS) if number not in gone])
    with world.engine.repo.snapshot() as snapshot:
        assert [len(snapshot.history(WALKED, "a", key_of(number))) for number in (0, 99, 200, 300)] == [1, 1, 0, 1]


def a_disabled_table(world: World) -> None:
    """The others' garbage goes."""
    repo, disabled = world.engine.repo, world.names.data(WALKED)
    world.engine.put(0, b"old", table=ZOO)
    newest = world.engine.put(0, b"new", table=ZOO)
    world.shell.disable(disabled)
    for _ in range(2):
        with pytest.raises(SettingsError, match=rf"table '{WALKED}' .*{disabled}.* is disabled"):
            repo.collect_garbage(newest)
    assert repo.collect_garbage(newest) == 2
    world.shell.enable(disabled)
    assert world.engine.get(0, table=WALKED) == b"new"
