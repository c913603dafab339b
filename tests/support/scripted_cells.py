"""The cell port's twin, whose next calls go wrong as a test says."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from proto.errors import UnavailableError
from repo.hbase.cells import Row
from repo.hbase.memory import MemoryCells
from tests.support.engines import ManualClock

T = TypeVar("T")


class Fault(Enum):
    NONE = "answered"
    LOST = "nothing happened, no answer"
    UNHEARD = "it happened, no answer"
    LATE = "no answer; it happens when `land` is called"
    TWICE = "the gateway sent it a second time: the second answer"


class ScriptedCells(MemoryCells):
    """calls: names of all calls so far. `faults` are used up one a call of the kind named: "get", "put", "cas"."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.calls: list[str] = []
        self.faults: dict[str, deque[Fault]] = {"get": deque(), "put": deque(), "cas": deque()}
        self._late: list[Callable[[], object]] = []
        self._before: dict[str, Callable[[], object]] = {}

    def script(self, call: str, *faults: Fault) -> None:
        self.faults[call] += faults

    def before(self, call: str, other: Callable[[], object]) -> None:
        """Somebody else is faster than the next call of that kind."""
        self._before[call] = other

    def land(self) -> None:
        """What is late happens now."""
        late, self._late = self._late, []
        for call in late:
            call()

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        return self._do("get", lambda: super(ScriptedCells, self).get(table, rows, columns, before))

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        self._do("put", lambda: super(ScriptedCells, self).put(table, timestamp, rows))

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        return self._do("cas", lambda: super(ScriptedCells, self).check_and_put(table, row, column, expected, value))

    def _do(self, name: str, call: Callable[[], T]) -> T:
        if name in self._before:
            self._before.pop(name)()
        self.calls.append(name)
        faults = self.faults[name]
        fault = faults.popleft() if faults else Fault.NONE
        if fault is Fault.LATE:
            self._late.append(call)
        if fault in (Fault.UNHEARD, Fault.TWICE):
            call()
        if fault in (Fault.NONE, Fault.TWICE):
            return call()
        raise UnavailableError(f"{name}: no answer")
