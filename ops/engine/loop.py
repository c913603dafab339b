"""The loop: one thread that runs all passes of a process while there is work, and sleeps until it is rung otherwise."""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from ops.engine import collector
from ops.engine.passes import STOPPING_ERRORS, Pass
from ops.engine.positions import Positions
from ops.engine.settings import EngineSettings
from ops.engine.traffic import Traffic
from proto.errors import AdsIndexError, UnavailableError
from proto.ports.clock import Clock

SWITCH_S = 0.0003
"""So soon threads that compute (of signals, of RPC) give way to the loop; Python's own 5 ms are longer than an edit
takes."""

QUIET_AFTER_MS = 2000.0

_logger = structlog.get_logger("adsindex.engine")


class Bell(Protocol):
    """What the loop sleeps on (ops.engine.doorbell)."""

    def wait(self, timeout_ms: float) -> bool:
        """Returns at the first ring since the last wait (True), or after timeout_ms (False)."""
        ...

    def wake(self) -> None:
        """Rings this process itself; from any thread, and from a signal handler."""
        ...


@dataclass(slots=True)
class Periodic:
    """Housekeeping outside all groups: status files, dead readers. It must be quick."""

    function: Callable[[], object]
    every_ms: float
    due_ms: float = 0.0


class Loop:
    """turns: how often it looked for work; sleeps: how often it found none and slept."""

    def __init__(
        self, passes: Sequence[Pass], positions: Positions, bell: Bell, traffic: Traffic, clock: Clock,
        settings: EngineSettings, periodic: Sequence[Periodic] = (),
    ) -> None:  # fmt: skip
        self.passes = list(passes)
        self.turns = self.sleeps = 0
        self._positions, self._bell, self._traffic = positions, bell, traffic
        self._clock, self._settings, self._periodic = clock, settings, list(periodic)
        self._stopping = False
        self._wakes_ms = [-math.inf] * len(self.passes)  # as of the last sleep
        self._worked_ms = self._swept_ms = self._flush_failed_ms = -math.inf
        self._collector = collector.Collector(clock.monotonic_ms())

    def periodically(self, task: Periodic) -> None:
        """Adds housekeeping."""
        self._periodic.append(task)

    def run(self) -> None:
        """Until `stop`, or until an error that the process must not survive. Then positions are saved."""
        sys.setswitchinterval(SWITCH_S)
        try:
            with collector.seldom(collector.YOUNG_IN_A_TURN_MAX):
                self._work()
        finally:
            self._flush(self._clock.monotonic_ms())
            self._housekeep(math.inf)

    def _work(self) -> None:
        everything = True
        while not self._stopping:
            worked = self.turn(everything)
            if worked:
                self._collector.go_on()
            everything = worked or self._sleep()

    def stop(self) -> None:
        """Ends `run` after the pass that is under way. From any thread, and from a signal handler."""
        self._stopping = True
        self._bell.wake()

    def turn(self, everything: bool = True) -> bool:
        """Runs each pass once; not everything: those that wanted to run by now. True when one had work."""
        self.turns += 1
        now_ms = self._clock.monotonic_ms()
        if now_ms >= min(self._sweep_due_ms(now_ms), self._traffic.due_ms()):
            everything = True
        if everything:
            self._swept_ms = now_ms
            self._traffic.turn(now_ms)
        worked = False
        for one, wake_ms in zip(self.passes, self._wakes_ms, strict=True):
            if self._stopping:
                break
            if everything or worked or wake_ms <= now_ms:
                worked |= one.run(math.inf if everything or worked else now_ms)
                self._traffic.passed(self._clock.monotonic_ms())
        if worked:
            self._worked_ms = now_ms
        self._housekeep(now_ms)
        return worked

    def drain(self, turns_max: int = 100_000) -> int:
        """For tests and one-shot commands: turns until nothing is to do now, positions saved; returns how many."""
        for turns in range(turns_max):
            if not self.turn():
                self._positions.flush()
                return turns
        raise UnavailableError(f"there is still work after {turns_max} turns")

    def _sleep(self) -> bool:
        """True when somebody rang: then all passes are run."""
        now_ms = self._clock.monotonic_ms()
        self._wakes_ms = [one.wake_ms() for one in self.passes]
        until_ms = min([self._sweep_due_ms(now_ms), self._traffic.due_ms(), *self._wakes_ms])
        if self._positions.unsaved():
            flush_ms = max(self._worked_ms + self._settings.flush_ms, self._flush_failed_ms + self._settings.sweep_ms)
            if flush_ms <= now_ms:
                self._flush(now_ms)
            else:
                until_ms = min(until_ms, flush_ms)
        self.sleeps += 1
        self._collector.rest(now_ms, self._worked_ms)
        return self._bell.wait(max(0.0, until_ms - now_ms))

    def _sweep_due_ms(self, now_ms: float) -> float:
        quiet = now_ms - self._worked_ms > QUIET_AFTER_MS
        return self._swept_ms + (self._settings.quiet_sweep_ms if quiet else self._settings.sweep_ms)

    def _flush(self, now_ms: float) -> None:
        try:
            self._positions.flush()
        except AdsIndexError as error:  # they stay unsaved: what they cover is processed again, or saved later
            self._flush_failed_ms = now_ms
            _logger.error("positions not saved", error=str(error))

    def _housekeep(self, now_ms: float) -> None:
        for task in self._periodic:
            if task.due_ms <= now_ms:
                task.due_ms = now_ms + task.every_ms
                try:
                    task.function()
                except STOPPING_ERRORS:
                    raise
                except (AdsIndexError, OSError) as error:  # a full disk; next time, perhaps, it is not
                    _logger.error("housekeeping failed", error=f"{type(error).__name__}: {error}")
