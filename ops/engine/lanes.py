"""Which lane is served next: a weighted choice in which High comes first and nobody starves.

Stride scheduling (Waldspurger and Weihl, 1995): each lane has a virtual time, which grows by the time it was served
divided by its weight; the lane that is least ahead is served next, the higher one when two are equal. A lane that was
idle starts at the virtual time of the others, so that rest earns no credit: a single High message is served at once,
and under a flood of High the lower lanes still get their share of the time. No clock: times are arguments.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ops.engine.traffic import Traffic
from proto.lane import Lane

WEIGHTS = {Lane.HIGH: 16.0, Lane.MEDIUM: 4.0, Lane.LOW: 1.0}


class Choice(NamedTuple):
    """Serve `lane` for about budget_ms."""

    lane: Lane
    budget_ms: float


class Lanes:
    """The choice among the lanes of one stage. paused: lanes that are not served."""

    def __init__(self, stage: str, traffic: Traffic) -> None:
        self.paused: frozenset[Lane] = frozenset()
        self._stage, self._traffic = stage, traffic
        self._virtual_ms = [0.0] * len(Lane)
        self._active: frozenset[Lane] = frozenset()

    def choose(self, waiting: Sequence[Lane], now_ms: float, *, tells: bool = True) -> Choice | None:
        """waiting: lanes that have something to do now. None: nothing to do, or all of it is paused, or Low must wait.

        tells: it counts as traffic of these lanes.
        """
        active = frozenset(waiting) - self.paused
        for lane in active if tells else ():
            self._traffic.saw(lane, now_ms)
        self._start_at_the_others_time(active)
        while active:
            chosen = min(active, key=lambda lane: (self._virtual_ms[lane], lane))
            traffic = self._traffic
            budget_ms = traffic.ask(self._stage, now_ms) if chosen is Lane.LOW else traffic.budget_ms(chosen, now_ms)
            if budget_ms:
                return Choice(chosen, budget_ms)
            self._active = active = active - {chosen}
        return None

    def served(self, lane: Lane, elapsed_ms: float) -> None:
        """Charges the time that a choice took."""
        self._virtual_ms[lane] += elapsed_ms / WEIGHTS[lane]

    def _start_at_the_others_time(self, active: frozenset[Lane]) -> None:
        started = active - self._active
        if started:
            going_on = [self._virtual_ms[lane] for lane in active & self._active]
            floor = min(going_on, default=max(self._virtual_ms))
            for lane in started:
                self._virtual_ms[lane] = max(self._virtual_ms[lane], floor)
        self._active = active
