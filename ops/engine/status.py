"""What a process says about itself: `status/PID.json` in the data folder, and which lanes are paused.

Garbage: a file whose process is gone is removed by who reads the others.
"""

from collections.abc import Collection
from pathlib import Path

import msgspec

from ops.engine.counters import StageCounters
from ops.times import clock_time


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
    failed_ms: float = 0.0


class ProcessStatus(msgspec.Struct):
    """One process. at_ms: wall clock when it was written. more: what the wiring adds (sources, watermark).

    commit_error: why nothing can be stored since commits_fail_since_ms (wall clock); "": it can.
    refusals: what it does not do without a person, one sentence each.
    """

    pid: int
    role: str
    started_ms: float
    at_ms: float
    steps: list[StepStatus]
    commit_error: str = ""
    commits_fail_since_ms: float = 0.0
    refusals: list[str] = []
    more: dict[str, str | int | float] = {}
    signals: list[SignalStatus] = []


_READ_TIMES = 5


def commits_fail(error: str, since_ms: float) -> str:
    """For people, behind the name of the process. error, since_ms: as in ProcessStatus."""
    return (
        f"can't commit since {clock_time(since_ms)} UTC, so no edit gets through: {error}; "
        "it tries again every few seconds, and goes on by itself when there is room: nothing is lost"
    )


_decode = msgspec.json.Decoder(ProcessStatus).decode


def read_statuses(folder: Path, alive: Collection[int]) -> list[ProcessStatus]:
    """Of the processes in `alive` (ops.engine.liveness); files of others are removed."""
    found = []
    for path in sorted((folder / "status").glob("*.json")):
        status = _read(path)
        if status is None:
            continue
        if status.pid in alive:
            found.append(status)
        else:
            path.unlink(missing_ok=True)
    return found


def _read(path: Path) -> ProcessStatus | None:
    """None when it is gone, or damaged: on a full disk it is written in place, and may be half-written just now."""
    for _ in range(_READ_TIMES):
        try:
            return _decode(path.read_bytes())
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            continue
    return None
