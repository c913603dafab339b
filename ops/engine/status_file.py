"""A process writes what it says about itself, `status/PID.json`, as ops.engine.status has it.

On a full disk, too, when there is most to tell: the file ends in blanks, so that longer news fit into its place.
"""

import os
from collections.abc import Sequence
from copy import copy
from pathlib import Path

import msgspec

from ops.engine.passes import Pass, StepState
from ops.engine.stage import Stage
from ops.engine.status import ProcessStatus, SignalStatus, StepStatus
from ops.replaced import overwrite_file, replace_file
from proto.ports.clock import Clock

_REWRITE_MS = 3000.0
_BLOCK_BYTES = 4096
_SPARE_BYTES = 4 * _BLOCK_BYTES
"""At least, for what there is to tell when something goes wrong: an error is described in 4,000 characters at most."""

_encode = msgspec.json.Encoder().encode


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

    def commits_fail(self) -> Pass | None:
        """The pass whose commits have failed for longest; None: they work."""
        failing = [one for one in self._passes if one.last_error]
        return min(failing, key=lambda one: one.failing_since_ms, default=None)

    def write(self) -> None:
        """A Periodic of the loop, every 500 ms. Readers see the old one or the new one, whole; unless the disk is full.
        Not durable. Raises OSError when not even the old one can be written over.

        While nothing changes it is written every few seconds only: an idle process should cost nothing.
        """
        now_ms = self._clock.now_ms()
        commits_fail = self.commits_fail()
        status = ProcessStatus(
            pid=os.getpid(),
            role=self._role,
            started_ms=self._started_ms,
            at_ms=self._written.at_ms if self._written is not None else now_ms,
            steps=[_step_status(state) for one in self._passes for state in one.states],
            commit_error=commits_fail.last_error if commits_fail else "",
            commits_fail_since_ms=commits_fail.failing_since_ms if commits_fail else 0.0,
            more=dict(self.more),
            signals=self.signals,
            refusals=list(self.refusals),
        )
        if status == self._written and now_ms - status.at_ms < _REWRITE_MS:
            return
        status.at_ms = now_ms
        data = _encode(status)
        bytes_kept = -(-(len(data) + _SPARE_BYTES) // _BLOCK_BYTES) * _BLOCK_BYTES
        try:
            replace_file(self._path, data.ljust(bytes_kept))
        except OSError:
            if self._written is None:
                raise
            overwrite_file(self._path, data.ljust(self._path.stat().st_size))
        self._written = status

    def remove(self) -> None:
        """At the end of the process."""
        self._path.unlink(missing_ok=True)


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
