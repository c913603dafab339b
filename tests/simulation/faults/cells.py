"""A cell port with a bad network and a bad server in between: what a gateway that retries, times out, or dies does."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from greenlet import GreenletExit

from proto.errors import UnavailableError
from repo.hbase.cells import Cells, Row, Stored
from tests.simulation.faults.plan import Plan
from tests.simulation.scheduler import Process, Scheduler

T = TypeVar("T")
Rows = Mapping[bytes, Mapping[bytes, bytes]]


class Network:
    """Shared by all processes of a run. plan: the faults of today (it becomes calm at the end of a run)."""

    def __init__(self, scheduler: Scheduler, plan: Plan) -> None:
        self.scheduler, self.plan = scheduler, plan
        self.paused: dict[str, float] = {}  # table -> until
        self._random = scheduler.random

    def happens(self, chance: float) -> bool:
        return chance > 0.0 and self._random.random() < chance

    def trip_ms(self) -> float:
        """How long one way of a call takes."""
        plan = self.plan
        return self._random.uniform(0.0, plan.slow_ms_max if self.happens(plan.slow) else plan.call_ms_max)

    def late_ms(self) -> float:
        return self._random.uniform(0.0, self.plan.late_ms_max)

    def pause(self, table: str, ms: float) -> None:
        """A region moves: its calls wait."""
        self.paused[table] = self.scheduler.now_ms + ms

    def travel(self, process: Process, table: str = "") -> None:
        """One way of a call of a process. Does not return when the process crashes meanwhile."""
        self.check(process)
        self.scheduler.sleep(self.trip_ms())
        while (until_ms := self.paused.get(table, 0.0)) > self.scheduler.now_ms:
            self.scheduler.sleep(until_ms - self.scheduler.now_ms)
        self.check(process)

    def check(self, process: Process) -> None:
        if not process.alive:
            raise GreenletExit  # also where its code tries to go on, in a `finally`

    def called(self, process: Process) -> bool:
        """Counts a call; True: the process crashes in it, before it hears the answer."""
        self.check(process)
        process.calls += 1
        return process.crash_at is not None and process.calls >= process.crash_at


class FaultyCells:
    """repo.hbase.cells.Cells of one process."""

    def __init__(self, cells: Cells, process: Process, network: Network) -> None:
        self._cells, self._process, self._network = cells, process, network
        self._scheduler = network.scheduler
        self._trace = network.scheduler.trace

    def put(self, table: str, timestamp: int, rows: Rows) -> None:
        self._write("put", table, timestamp, rows, lambda part: self._cells.put(table, timestamp, part))

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

    def regions(self, table: str) -> list[tuple[bytes, bytes | None]]:
        return self._read(table, lambda: self._cells.regions(table))

    def _read(self, table: str, read: Callable[[], T]) -> T:
        network = self._network
        crashes = network.called(self._process)
        network.travel(self._process, table)
        found = read()
        if crashes:
            self._crash()
        if network.happens(network.plan.lost_request):
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
            self._crash()
        network.travel(process, table)
        if network.happens(plan.lost_request):
            self._fail(what, "it never arrived")
        if network.happens(plan.late):
            self._scheduler.later(network.late_ms(), apply)
            self._fail(what, "it is late")
        apply()
        if crashes:
            self._crash()
        if network.happens(plan.doubled):
            self._scheduler.later(network.late_ms(), apply)
        if network.happens(plan.lost_answer):
            self._fail(what, "it is done")
        network.travel(process)

    def _torn(self, rows: object) -> bool:
        return len(rows) > 1 and self._network.happens(self._network.plan.torn)  # type: ignore[arg-type]

    def _fail(self, what: str, why: str) -> None:
        self._trace.add(self._process.name, "{}: no answer ({})", what, why)
        self._network.travel(self._process)
        raise UnavailableError(f"{what}: no answer")

    def _crash(self) -> None:
        self._scheduler.crash(self._process)
        raise GreenletExit
