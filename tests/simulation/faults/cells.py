"""A cell port with a bad network and a bad server in between: what a gateway that retries, times out, or dies does."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, TypeVar

from proto.errors import UnavailableError
from repo.hbase.cells import Family, Range, Row, Stored
from repo.hbase.memory import MemoryCells
from repo.hbase.names import TableNames
from tests.simulation.faults.network import Network
from tests.simulation.recorder import Recorder
from tests.simulation.scheduler import Process

NAMES = TableNames()
T = TypeVar("T")
Rows = Mapping[bytes, Mapping[bytes, bytes]]


class FaultyCells:
    """repo.hbase.cells.Cells and Tables of one process."""

    def __init__(self, cells: MemoryCells, process: Process, network: Network, recorder: Recorder) -> None:
        self._cells, self._process, self._network, self._recorder = cells, process, network, recorder
        self._scheduler = network.scheduler
        self._trace = network.scheduler.trace

    def require(self, tables: Mapping[str, Mapping[str, Family]]) -> None:
        self._network.travel(self._process)
        self._cells.require(tables)

    def put(self, table: str, timestamp: int, rows: Rows) -> None:
        self._recorder.puts(table, timestamp, rows)
        self.put_of_another(table, timestamp, rows)

    def put_of_another(self, table: str, timestamp: int, rows: Rows) -> None:
        """Of a program that is not the product's: nothing that the recorder is to know of."""
        if self._network.happens(self._network.plan.lost_shadow) and _only_shadows(rows):
            self._lose(table, timestamp, rows)
        if table == NAMES.commit_table and len(rows) > 1:
            self._process.at_batch()
        self._write("put", table, timestamp, rows, lambda part: self._cells.put(table, timestamp, part))

    def put_soon(self, table: str, timestamp: int, rows: Rows) -> None:
        def later() -> None:
            with suppress(UnavailableError):
                self.put(table, timestamp, rows)

        self._scheduler.spawn(self._process, later)

    def delete(self, table: str, timestamp: int, rows: Mapping[bytes, Sequence[bytes]]) -> None:
        self._write("delete", table, timestamp, rows, lambda part: self._cells.delete(table, timestamp, part))

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        parts = [[row] for row in rows] if self._torn(rows) else [rows]
        found: dict[bytes, Row] = {}
        for part in parts:
            found.update(self._read(table, lambda part=part: self._cells.get(table, part, columns, before)))  # type: ignore[misc]
        self._trace.add(self._process.name, "get {} {} before {}: {}", table, list(rows), before, found)
        return found

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        found = self._read(table, lambda: self._cells.versions(table, row, column, before, limit))
        self._trace.add(self._process.name, "versions {} {} {} before {}: {}", table, row, column, before, found)
        return found

    def scan(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[tuple[bytes, Row]]:
        found = self._read(table, lambda: self._cells.scan(table, start, stop, columns, before, limit))
        self._trace.add(self._process.name, "scan {} [{}, {}) before {}: {}", table, start, stop, before, found)
        return found

    def scans(
        self, table: str, ranges: Sequence[Range], columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[list[tuple[bytes, Row]]]:
        return [self.scan(table, start, stop, columns, before, limit) for start, stop in ranges]

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        network, plan = self._network, self._network.plan
        answers: list[bool] = []

        def apply() -> None:
            answers.append(self._cells.check_and_put(table, row, column, expected, value))
            self._trace.add("server", "check-and-put {} {}: {} -> {}: {}", table, row, expected, value, answers[-1])

        self._send(f"check-and-put {table}", table, apply)
        if network.happens(plan.second_attempt):
            network.travel(self._process, table)
            apply()
        return answers[-1]

    def put_mark(self, table: str, timestamp: int, row: bytes, family: str) -> None:
        """As Omid's client does for a deleted family."""

        def apply() -> None:
            self._cells.put_mark(table, timestamp, row, family)
            self._trace.add("server", "mark {} {} {}", table, timestamp, row)

        self._send(f"mark {table} {timestamp}", table, apply)

    def put_if_absent(
        self, table: str, row: bytes, absent: bytes, timestamp: int, columns: Mapping[bytes, bytes]
    ) -> bool:
        """As HBase's own clients can, whom no gateway keeps from naming another column and a version."""
        answers: list[bool] = []

        def apply() -> None:
            answers.append(not self._cells.versions(table, row, absent, None, 1))
            if answers[-1]:
                self._cells.put(table, timestamp, {row: columns})
            self._trace.add("server", "put {} {} {} if {} is absent: {}", table, row, columns, absent, answers[-1])

        self._send(f"put-if-absent {table}", table, apply)
        return answers[-1]

    def lands_later(self, table: str, timestamp: int, rows: Rows, after_ms: float | None = None) -> None:
        """A put that somebody has sent already."""

        def apply() -> None:
            self._cells.put(table, timestamp, rows)
            self._trace.add("server", "put {} {} {}", table, timestamp, rows)

        self._scheduler.later(self._network.late_ms() if after_ms is None else max(0.0, after_ms), apply)

    def regions(self, table: str) -> list[tuple[bytes, bytes | None]]:
        return self._read(table, lambda: self._cells.regions(table))

    def _read(self, table: str, read: Callable[[], T]) -> T:
        network = self._network
        crashes = network.called(self._process, table)
        network.travel(self._process, table)
        found = read()
        if crashes:
            network.crash(self._process)
        if network.loses(table):
            self._trace.add(self._process.name, "read {}: no answer", table)
            raise UnavailableError(f"{table}: no answer")
        network.travel(self._process)
        return found

    def _write(
        self,
        what: str,
        table: str,
        timestamp: int,
        rows: Mapping[bytes, T],
        apply: Callable[[Mapping[bytes, T]], None],
    ) -> None:
        parts: list[Mapping[bytes, T]] = [rows]
        if self._torn(rows):
            parts = [{row: cells} for row, cells in rows.items()]
        for part in parts:

            def once(part: Mapping[bytes, T] = part) -> None:
                apply(part)
                self._trace.add("server", "{} {} {} {}", what, table, timestamp, part)

            self._send(f"{what} {table} {timestamp}", table, once)

    def _send(self, what: str, table: str, apply: Callable[[], None]) -> None:
        """A write, with all that may become of it."""
        network, plan, process = self._network, self._network.plan, self._process
        crashes = network.called(process)
        if crashes and network.happens(0.5):
            if network.happens(0.5):
                self._scheduler.later(network.late_ms(), apply)  # it was on its way
            network.crash(process)
        network.travel(process, table)
        if network.loses(table):
            self._fail(what, "it never arrived")
        if network.happens(plan.late):
            self._scheduler.later(network.late_ms(), apply)
            self._fail(what, "it is late")
        apply()
        if crashes:
            network.crash(self._process)
        if network.happens(plan.doubled):
            self._scheduler.later(network.late_ms(), apply)
        if network.happens(plan.lost_answer):
            self._fail(what, "it is done")
        if table == NAMES.commit_table and network.happens(plan.slow_flush):
            self._scheduler.sleep(self._scheduler.random.uniform(0.0, plan.late_ms_max))
        network.travel(process)

    def _lose(self, table: str, timestamp: int, rows: Rows) -> NoReturn:
        self._network.travel(self._process, table)
        if self._network.happens(self._network.plan.late_shadow):
            self._scheduler.later(self._network.late_ms(), lambda: self._cells.put(table, timestamp, rows))
        self._fail(f"put {table} {timestamp}", "shadow cells, lost or late")

    def _torn(self, rows: object) -> bool:
        return len(rows) > 1 and self._network.happens(self._network.plan.torn)  # type: ignore[arg-type]

    def _fail(self, what: str, why: str) -> NoReturn:
        self._trace.add(self._process.name, "{}: no answer ({})", what, why)
        self._network.travel(self._process)
        raise UnavailableError(f"{what}: no answer")


def _only_shadows(rows: Rows) -> bool:
    return all(b":\0\xc2\x80" in column for columns in rows.values() for column in columns)
