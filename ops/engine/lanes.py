"""Which lane is served next: a weighted choice in which High comes first and nobody starves.

Stride scheduling (Waldspurger and Weihl, 1995): each lane has a virtual time, which grows by the time it was served
divided by its weight; the lane that is least ahead is served next, the higher one when two are equal. A lane that was
idle starts at the virtual time of the others, so that rest earns no credit: a single High message is served at once,
and under a flood of High the lower lanes still get their share of the time. No clock: times are arguments.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ops.engine.settings import EngineSettings
from proto.lane import Lane

WEIGHTS = {Lane.HIGH: 16.0, Lane.MEDIUM: 4.0, Lane.LOW: 1.0}

_NEVER = float("-inf")


class Choice(NamedTuple):
    """Serve `lane` for about budget_ms."""

    lane: Lane
    budget_ms: float


class Traffic:
    """When each lane last had something to do, in any stage of this process."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._seen_ms = [_NEVER] * len(Lane)
        self._rest_until_ms = _NEVER

    def saw(self, lane: Lane, now_ms: float) -> None:
        """A message of this lane was there."""
        self._seen_ms[lane] = now_ms

    def budget_ms(self, lane: Lane, now_ms: float) -> float:
        """How long work of this lane may keep the loop busy: short while a higher lane has traffic."""
        if lane is Lane.HIGH:
            return self._settings.batch_ms_max
        since_ms = now_ms - self._settings.traffic_ms
        busy = any(seen_ms > since_ms for seen_ms in self._seen_ms[:lane])
        return self._settings.slice_ms_max if busy else self._settings.lower_batch_ms_max

    def worked(self, lane: Lane, elapsed_ms: float, now_ms: float) -> None:
        """A batch of this lane took so long, its durable commit with it. One of the Low lane is followed by a rest."""
        if lane is Lane.LOW:
            self._rest_until_ms = now_ms + elapsed_ms * (1 / self._settings.low_share - 1)

    def rest_until_ms(self, now_ms: float) -> float:
        """Until when the Low lane rests, so that most edits find the loop idle; now or before: it does not.

        However short a slice is, it ends with a commit: an edit that comes meanwhile waits for it.
        """
        high = self._seen_ms[Lane.HIGH] > now_ms - self._settings.traffic_ms
        return self._rest_until_ms if high else _NEVER


class Lanes:
    """The choice among the lanes of one stage. paused: lanes that are not served."""

    def __init__(self, traffic: Traffic) -> None:
        self.paused: frozenset[Lane] = frozenset()
        self._traffic = traffic
        self._virtual_ms = [0.0] * len(Lane)
        self._held_until_ms = math.inf
        self._active: frozenset[Lane] = frozenset()

    def choose(self, waiting: Sequence[Lane], now_ms: float, *, tells: bool = True) -> Choice | None:
        """waiting: lanes that have something to do now. None: nothing to do, or all of it is paused.

        tells: it counts as traffic of these lanes.
        """
        active = frozenset(waiting) - self.paused
        self._held_until_ms = math.inf
        if Lane.LOW in active and (until_ms := self._traffic.rest_until_ms(now_ms)) > now_ms:
            active -= {Lane.LOW}
            self._held_until_ms = until_ms
        if not active:
            self._active = active
            return None
        self._start_at_the_others_time(active)
        for lane in active if tells else ():
            self._traffic.saw(lane, now_ms)
        chosen = min(active, key=lambda lane: (self._virtual_ms[lane], lane))
        return Choice(chosen, self._traffic.budget_ms(chosen, now_ms))

    def served(self, lane: Lane, elapsed_ms: float, now_ms: float) -> None:
        """Charges the time that a choice took, up to now."""
        self._virtual_ms[lane] += elapsed_ms / WEIGHTS[lane]
        self._traffic.worked(lane, elapsed_ms, now_ms)

    def wake_ms(self) -> float:
        """When a lane that was held at the last choice may go on; infinity: none was."""
        return self._held_until_ms

    def _start_at_the_others_time(self, active: frozenset[Lane]) -> None:
        started = active - self._active
        if started:
            going_on = [self._virtual_ms[lane] for lane in active & self._active]
            floor = min(going_on, default=max(self._virtual_ms))
            for lane in started:
                self._virtual_ms[lane] = max(self._virtual_ms[lane], floor)
        self._active = active
