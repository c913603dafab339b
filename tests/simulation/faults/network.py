"""The network of a run: how long calls take, what happens to them, who crashes in one."""

from typing import NoReturn

from greenlet import GreenletExit

from tests.simulation.faults.plan import Plan
from tests.simulation.scheduler import Process, Scheduler


class Network:
    """Shared by all processes of a run. plan: the faults of today (it becomes calm at the end of a run)."""

    def __init__(self, scheduler: Scheduler, plan: Plan) -> None:
        self.scheduler, self.plan = scheduler, plan
        self.paused: dict[str, float] = {}  # table -> until
        self.away: dict[str, float] = {}
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

    def takes_away(self, table: str, ms: float) -> None:
        """No call of it is answered."""
        self.away[table] = self.scheduler.now_ms + ms
        self.scheduler.trace.add("server", "{} is away for {} ms", table, ms)

    def loses(self, table: str) -> bool:
        """Whether a call of a table never arrives."""
        return self.away.get(table, 0.0) > self.scheduler.now_ms or self.happens(self.plan.lost_request)

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

    def called(self, process: Process, reads: str = "") -> bool:
        """Counts a call (of a table that it reads); True: the process crashes in it, before it hears the answer."""
        self.check(process)
        process.calls += 1
        if (process.stop_at is not None and process.calls >= process.stop_at) or (reads and process.stop_on == reads):
            process.stop_at, process.stop_on = None, ""
            self.scheduler.stop(process, process.stop_ms)
        return process.crash_at is not None and process.calls >= process.crash_at

    def crash(self, process: Process) -> NoReturn:
        """The running task's process, here and now."""
        self.scheduler.crash(process)
        raise GreenletExit
