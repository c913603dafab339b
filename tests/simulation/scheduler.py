"""Runs tasks one at a time, on simulated time, in an order that a seed decides.

Tasks are greenlets, so the code in them is the product's own, unchanged. A task goes on until it calls `sleep` or
waits for a `Promise` (the ports do, in each call); then the one that is due next goes on. Nothing runs at the same
time, nothing reads a real clock: a seed gives the same run again.
"""

import heapq
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from tests.simulation.trace import Trace

_LAST_CALLS_MAX = 8
"""Calls that a task may still begin while it is ended."""


class NeverEndsError(AssertionError):
    """Somebody waits for what never comes, or turns in a circle."""


@dataclass(eq=False)
class Process:
    """What crashes, stops and has a clock as one. skew_ms: how far its clock is ahead; stopped_until_ms: by SIGSTOP.

    calls: of its ports, so far; crash_at, stop_at: the call in which it will crash, or be stopped for stop_ms; or
    stop_on: the table that it will read then;
    crashed, stopped: called then. at_batch: called when it is about to put several commits at once.
    """

    name: str
    alive: bool = True
    skew_ms: float = 0.0
    stopped_until_ms: float = 0.0
    calls: int = 0
    crash_at: int | None = None
    stop_at: int | None = None
    stop_on: str = ""
    stop_ms: float = 0.0
    crashed: Callable[[], None] = lambda: None
    stopped: Callable[[], None] = lambda: None
    at_batch: Callable[[], None] = lambda: None


@dataclass(eq=False)
class Task:
    """A greenlet of a process."""

    process: Process
    runs: greenlet
    on_end: list[Callable[[], None]] = field(default_factory=list)


class Scheduler:
    """now_ms: simulated time since the run began. steps: how often a task went on."""

    def __init__(self, random: Random, steps_max: int = 40_000) -> None:
        self.random = random
        self.now_ms = 0.0
        self.steps = 0
        self.trace = Trace(lambda: self.now_ms)
        self._steps_max = steps_max
        self._due: list[tuple[float, int, Task | Callable[[], None]]] = []
        self._number = 0
        self._tasks: list[Task] = []
        self._current: Task | None = None
        self._hub = getcurrent()

    @property
    def current(self) -> Task:
        assert self._current is not None, "ports are called by tasks"
        return self._current

    def spawn(self, process: Process, work: Callable[[], Any], after_ms: float = 0.0) -> Task:
        """Starts a task of a process. An error that it does not catch ends the run."""
        task = Task(process, greenlet(work, self._hub))
        self._tasks.append(task)
        self._push(after_ms, task)
        return task

    def later(self, after_ms: float, action: Callable[[], None]) -> None:
        """Does something that belongs to no process: what is under way in the network, a fault. It may not sleep."""
        self._push(after_ms, action)

    def sleep(self, ms: float) -> None:
        """Lets the others go on; the running task is due again after `ms`."""
        self._push(ms, self.current)
        self._hub.switch()

    def park(self) -> None:
        """The running task goes on when somebody calls `resume` with it."""
        self._hub.switch()

    def resume(self, task: Task) -> None:
        self._push(0.0, task)

    def stop(self, process: Process, ms: float) -> None:
        """SIGSTOP now, SIGCONT after `ms`: what it was about to do it does then, as if nothing had happened."""
        process.stopped_until_ms = self.now_ms + ms
        self.trace.add(process.name, "IS STOPPED for {} ms", ms)
        process.stopped()

    def crash(self, process: Process) -> None:
        """Kill -9: none of its tasks goes on. (What it has sent stays sent.)"""
        if process.alive:
            process.alive = False
            self.trace.add(process.name, "CRASHES")
            process.crashed()

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Until nothing is due any more, or `until` holds."""
        while self._due and not (until is not None and until()):
            at_ms, _, what = heapq.heappop(self._due)
            self.now_ms = max(self.now_ms, at_ms)
            if isinstance(what, Task):
                self._go_on(what)
            else:
                what()

    def end(self) -> None:
        """Ends the tasks that still wait. A greenlet that stands still is never freed, and a run hangs on each."""
        for task in self._tasks:
            self._current = task
            for _ in range(_LAST_CALLS_MAX):
                if not task.runs.dead:
                    with suppress(Exception):
                        task.runs.throw(GreenletExit)
        self._tasks.clear()

    def _go_on(self, task: Task) -> None:
        process = task.process
        if process.alive and process.stopped_until_ms > self.now_ms:
            self._push(process.stopped_until_ms - self.now_ms, task)
            return
        self.steps += 1
        if self.steps > self._steps_max:
            raise NeverEndsError(f"after {self._steps_max} steps {process.name} still does not end")
        self._current = task
        if process.alive:
            task.runs.switch()
        else:
            task.runs.throw(GreenletExit)
        self._current = None
        if task.runs.dead:
            for action in task.on_end:
                action()

    def _push(self, after_ms: float, what: Task | Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._due, (self.now_ms + after_ms, self._number, what))


@dataclass(eq=False)
class Promise:
    """An answer that one task waits for. Only the first one counts; an exception is raised there."""

    scheduler: Scheduler
    answer: Any = None
    kept: bool = False
    waiter: Task | None = None

    def keep(self, answer: Any = None) -> None:
        if not self.kept:
            self.kept, self.answer = True, answer
            if self.waiter is not None:
                self.scheduler.resume(self.waiter)

    def wait(self) -> Any:
        if not self.kept:
            self.waiter = self.scheduler.current
            self.scheduler.park()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class ProcessClock:
    """proto.ports.clock.Clock of a process. tick: how many ms of its clock a simulated ms has; 0: it stands still,
    and timestamps are as dense as they can be."""

    scheduler: Scheduler
    process: Process
    start_ms: float = 1_000_000.0
    tick: float = 1.0

    def now_ms(self) -> float:
        return self.start_ms + self.tick * self.scheduler.now_ms + self.process.skew_ms

    def monotonic_ms(self) -> float:
        return self.scheduler.now_ms
