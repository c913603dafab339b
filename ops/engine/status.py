"""What a process says about itself: `status/PID.json` in the data folder, and which lanes are paused.

Garbage: a file whose process is gone is removed by who reads the others.
"""

import os
from collections.abc import Collection, Sequence
from copy import copy
from pathlib import Path

import msgspec

from ops.engine.counters import StageCounters
from ops.engine.passes import Pass, StepState
from ops.engine.stage import Stage
from proto.ports.clock import Clock

_REWRITE_MS = 3000.0


class StepStatus(msgspec.Struct):
    """One step. backlog: lane name -> messages behind. counters: of a stage only. last_error_ms: wall clock."""

    name: str
    failing: bool = False
    errors: int = 0
    last_error: str = ""
    last_error_ms: float = 0.0
    backlog: dict[str, int] = {}
    paused: list[str] = []
    counters: StageCounters | None = None


class SignalStatus(msgspec.Struct):
    """One pull signal, as this process sees it.

    breaker   "closed", "half-open" (one call decides), "open" until open_until_ms
    cached    keys in memory, asked for between oldest_ms and newest_ms
    waiting   documents to be built again when an answer comes
    The rest as in argus.signals.counts. *_ms: wall clock, 0: never.
    """

    name: str
    breaker: str
    open_until_ms: float
    cached: int
    oldest_ms: float
    newest_ms: float
    waiting: int
    hits: int
    misses: int
    calls: int
    keys: int
    failed_calls: int
    failed_keys: int
    timeouts: int
    went_back: int
    blocked: int
    succeeded_ms: float
    last_error: str
    last_error_ms: float


class ProcessStatus(msgspec.Struct):
    """One process. at_ms: wall clock when it was written. more: what the wiring adds (sources, watermark).

    refusals: what it does not do without a person, one sentence each.
    """

    pid: int
    role: str
    started_ms: float
    at_ms: float
    steps: list[StepStatus]
    commit_error: str = ""
    refusals: list[str] = []
    more: dict[str, str | int | float] = {}
    signals: list[SignalStatus] = []


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ProcessStatus).decode


class StatusFile:
    """This process's file. `more` may be changed at any time; it is written with the next snapshot."""

    def __init__(self, folder: Path, role: str, passes: Sequence[Pass], clock: Clock) -> None:
        self.more: dict[str, str | int | float] = {}
        self.refusals: list[str] = []
        self.signals: list[SignalStatus] = []
        self._path = folder / "status" / f"{os.getpid()}.json"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._role, self._passes, self._clock = role, passes, clock
        self._started_ms = clock.now_ms()
        self._written: ProcessStatus | None = None

    def write(self) -> None:
        """A Periodic of the loop, every 500 ms. Readers see the old one or the new one, whole. Not durable.

        While nothing changes it is written every few seconds only: an idle process should cost nothing.
        """
        now_ms = self._clock.now_ms()
        status = ProcessStatus(
            pid=os.getpid(),
            role=self._role,
            started_ms=self._started_ms,
            at_ms=self._written.at_ms if self._written is not None else now_ms,
            steps=[_step_status(state) for one in self._passes for state in one.states],
            commit_error=next((one.last_error for one in self._passes if one.last_error), ""),
            more=dict(self.more),
            signals=self.signals,
            refusals=list(self.refusals),
        )
        if status == self._written and now_ms - status.at_ms < _REWRITE_MS:
            return
        status.at_ms = now_ms
        self._written = status
        beside = self._path.with_suffix(".new")
        beside.write_bytes(_encode(status))
        beside.replace(self._path)

    def remove(self) -> None:
        """At the end of the process."""
        self._path.unlink(missing_ok=True)


def read_statuses(folder: Path, alive: Collection[int]) -> list[ProcessStatus]:
    """Of the processes in `alive` (ops.engine.liveness); files of others are removed."""
    found = []
    for path in sorted((folder / "status").glob("*.json")):
        try:
            status = _decode(path.read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            continue
        if status.pid in alive:
            found.append(status)
        else:
            path.unlink(missing_ok=True)
    return found


def _step_status(state: StepState) -> StepStatus:
    status = StepStatus(
        name=state.step.name,
        failing=state.failing,
        errors=state.errors,
        last_error=state.last_error,
        last_error_ms=state.last_error_ms,
    )
    if isinstance(state.step, Stage):
        status.backlog = {lane.name.lower(): behind for lane, behind in state.step.backlog().items()}
        status.paused = [lane.name.lower() for lane in sorted(state.step.lanes.paused)]
        status.counters = copy(state.step.counters)
    return status
