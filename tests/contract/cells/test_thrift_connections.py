"""What can happen between us and HBase's Thrift gateway, beside what the port's suite asks of both implementations."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier, Thread
from typing import Any

import pytest

from proto.errors import SettingsError, UnavailableError
from repo.hbase.cells import Family, Stored
from repo.hbase.thrift import ThriftCells
from repo.hbase.thrift_pool import IDLE_MS_MAX, ThriftConnection
from tests.support.cluster import RunningCluster
from tests.support.engines import ManualClock
from tests.support.gate import Gate
from tests.support.hbase import new_table, real_cells, real_tables

A = b"d:a"
FAMILIES = {"d": Family(versions=100)}


@dataclass
class Gated:
    """Cells behind a gate, with a table."""

    cells: ThriftCells
    gate: Gate
    clock: ManualClock
    table: str

    def put(self, timestamp: int) -> None:
        self.cells.put(self.table, timestamp, {b"r": {A: b"%d" % timestamp}})

    def newest(self) -> bytes:
        return self.cells.get(self.table, [b"r"], [A])[b"r"][A].value


@pytest.fixture(scope="module")
def table(hbase: RunningCluster) -> Iterator[str]:
    name = new_table("connections")
    real_tables(hbase).require({name: FAMILIES})
    yield name
    real_tables(hbase).drop(name)


@pytest.fixture
def gated(hbase: RunningCluster, table: str) -> Iterator[Gated]:
    gate, clock = Gate(hbase.thrift), ManualClock()
    cells = through(gate, clock)
    yield Gated(cells, gate, clock, table)
    cells.close()
    gate.close()


def through(gate: Gate, clock: ManualClock, timeout_ms: int = 90_000) -> ThriftCells:
    host, port = gate.address.rsplit(":", 1)
    return ThriftCells(host, int(port), clock, timeout_ms)


def test_one_connection_serves_a_thread(gated: Gated) -> None:
    for timestamp in range(1, 20):
        gated.put(timestamp)
    assert gated.newest() == b"19"
    assert gated.gate.connections == 1


def test_a_connection_that_the_gateway_has_closed_is_replaced_unseen(gated: Gated) -> None:
    gated.put(21)
    gated.gate.cut()
    gated.put(22)
    gated.gate.cut()
    assert gated.newest() == b"22"
    assert gated.gate.connections == 3


def test_a_connection_that_was_idle_for_long_is_not_used_again(gated: Gated) -> None:
    gated.put(31)
    gated.clock.ms += IDLE_MS_MAX - 1
    gated.put(32)
    gated.clock.ms += IDLE_MS_MAX - 1
    gated.put(33)
    assert gated.gate.connections == 1
    gated.clock.ms += IDLE_MS_MAX
    gated.put(34)
    assert gated.gate.connections == 2


def test_a_write_whose_answer_is_lost_is_made_again(gated: Gated) -> None:
    gated.gate.lose_next_answer()
    gated.put(41)
    assert gated.gate.connections == 2
    assert gated.newest() == b"41"


def test_a_swap_whose_answer_is_lost_says_no_and_is_there(gated: Gated) -> None:
    gated.gate.lose_next_answer()
    assert not gated.cells.check_and_put(gated.table, b"state", A, None, b"mine")
    assert gated.cells.get(gated.table, [b"state"], [A])[b"state"][A].value == b"mine"


def test_a_late_answer_is_not_taken_for_the_next_one(gated: Gated) -> None:
    gated.cells.put(gated.table, 51, {b"r": {A: b"51"}, b"other": {A: b"other"}})
    impatient = through(gated.gate, gated.clock, timeout_ms=500)
    with gated.gate.holding_answers(), pytest.raises(UnavailableError, match="timed out"):
        impatient.get(gated.table, [b"other"], [A])
    assert impatient.get(gated.table, [b"r"], [A]) == {b"r": {A: Stored(51, b"51")}}
    impatient.close()


def test_an_error_of_the_server_leaves_the_connection_as_it_was(gated: Gated) -> None:
    gated.put(61)
    for _ in range(3):
        with pytest.raises(Exception, match="nowhere"):
            gated.cells.get("nowhere", [b"r"], [A])
    gated.put(62)
    assert gated.gate.connections == 1


def test_no_gateway_at_all(gated: Gated) -> None:
    gated.gate.close()
    with pytest.raises(UnavailableError, match=rf"{gated.table}.*{gated.gate.address}"):
        gated.put(71)


def test_a_connection_that_is_shared_by_threads_is_refused(hbase: RunningCluster) -> None:
    host, port = hbase.thrift.rsplit(":", 1)
    connection = ThriftConnection(host, int(port), ManualClock(), 1000)
    refused: list[BaseException] = []

    def use() -> None:
        try:
            connection.run(lambda client: client.getTableNames())
        except BaseException as error:
            refused.append(error)

    thread = Thread(target=use)
    thread.start()
    thread.join()
    assert [type(error) for error in refused] == [AssertionError]
    assert connection.run(lambda client: client.getTableNames())
    connection.close()


def test_each_of_many_threads_gets_its_own_answers(gated: Gated) -> None:
    rows = {b"row%d" % number: {A: b"value%d" % number} for number in range(8)}
    gated.cells.put(gated.table, 81, rows)
    together = Barrier(len(rows))

    def read(row: bytes) -> set[bytes]:
        together.wait(60)
        return {gated.cells.get(gated.table, [row], [A])[row][A].value for _ in range(50)}

    with ThreadPoolExecutor(len(rows)) as threads:
        answers = list(threads.map(read, rows))
    assert answers == [{values[A]} for values in rows.values()]
    assert gated.gate.connections == 1 + len(rows)


def test_a_put_that_is_too_large_for_one_call_is_cut(gated: Gated) -> None:
    rows = {b"large%d" % number: {A: bytes([number]) * 3_000_000} for number in range(7)}
    gated.cells.put(gated.table, 91, rows)
    assert gated.gate.requests == 7
    found = gated.cells.get(gated.table, list(rows), [A])
    assert {row: {A: cells[A].value} for row, cells in found.items()} == rows


def test_many_rows_are_read_and_scanned_in_parts(gated: Gated) -> None:
    rows = {b"many%04d" % number: {A: b"v%d" % number} for number in range(1200)}
    gated.cells.put(gated.table, 95, rows)
    assert gated.gate.requests == 3
    found = {row: {A: Stored(95, values[A])} for row, values in rows.items()}
    assert gated.cells.get(gated.table, list(rows), [A]) == found
    assert gated.gate.requests == 7, "a few alone, which tell how large they are"
    assert gated.gate.connections <= 4
    assert dict(gated.cells.scan(gated.table, b"many", b"n", [A], None, 5000)) == found
    assert len(gated.cells.scan(gated.table, b"many", b"n", [A], None, 1100)) == 1100
    gated.cells.delete(gated.table, 95, {row: [A] for row in rows})
    assert gated.cells.get(gated.table, list(rows), [A]) == {}


def test_an_error_in_one_part_is_raised_when_all_parts_have_ended(gated: Gated) -> None:
    rows = {b"part%04d" % number: {A: b"v"} for number in range(300)}
    with pytest.raises(SettingsError, match="no such family"):
        gated.cells.put(gated.table, 96, {**rows, b"part0000": {b"zz:q": b"v"}})
    assert len(gated.cells.get(gated.table, list(rows), [A])) == 299


def test_tables_made_by_several_processes_at_once(hbase: RunningCluster) -> None:
    names = [new_table("raced"), new_table("raced")]
    together = Barrier(4)

    def make(number: int) -> None:
        tables, cells = real_tables(hbase), real_cells(hbase)
        together.wait(60)
        tables.require(dict.fromkeys(names, FAMILIES))
        for name in names:
            cells.put(name, 5, {b"%d" % number: {A: b"v"}})
        cells.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, range(4)))
    cells = real_cells(hbase)
    for name in names:
        assert len(cells.scan(name, b"", None, [A], None, 9)) == 4
        real_tables(hbase).drop(name)
    cells.close()


def test_rows_of_several_regions(hbase: RunningCluster) -> None:
    tables, cells, name = real_tables(hbase), real_cells(hbase), new_table("split")
    tables.create({name: FAMILIES}, splits=[b"f", b"m"])
    assert cells.regions(name) == [(b"", b"f"), (b"f", b"m"), (b"m", None)]
    rows = [b"a", b"f", b"l", b"m", b"z"]
    cells.put(name, 5, {row: {A: row} for row in reversed(rows)})
    found = {row: {A: Stored(5, row)} for row in rows}
    assert cells.get(name, rows, [A]) == found
    assert cells.scan(name, b"", None, [A], None, 9) == list(found.items())
    assert cells.scan(name, b"b", b"m", [A], None, 9) == [(row, found[row]) for row in (b"f", b"l")]
    cells.close()
    tables.drop(name)


def test_of_large_rows_few_are_asked_for_at_once(hbase: RunningCluster, table: str) -> None:
    """The gateway puts an answer together in its memory: a page of 300 documents of 1 MB was its end."""
    cells, megabyte, count = real_cells(hbase), 1024 * 1024, 45
    rows = {b"document %d" % number: {A: bytes(megabyte)} for number in range(count)}
    cells.put(table, 1, rows)
    asked: list[int] = []

    class Watched:
        """happybase's client, whose calls are counted by the rows that they ask for."""

        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        def getRowsWithColumnsTs(self, table: bytes, rows: list[bytes], *arguments: Any) -> Any:
            asked.append(len(rows))
            return self._client.getRowsWithColumnsTs(table, rows, *arguments)

        def scannerGetList(self, scanner: int, count: int) -> Any:
            asked.append(count)
            return self._client.scannerGetList(scanner, count)

    run = cells._pool.run
    cells._pool.run = lambda operation, where: run(lambda client: operation(Watched(client)), where)  # type: ignore[method-assign,assignment]
    assert len(cells.scan(table, b"document", b"document~", [A], None, 1_000)) == count
    assert asked == [32, 4, 4, 4, 4]
    del asked[:]
    assert len(cells.get(table, list(rows), [A])) == count
    assert asked == [4] * 11 + [1]
    cells.close()
