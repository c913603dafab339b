"""Which lanes have traffic in a process, and when work of the Low lane may run beside the High lane.

A slice of Low work, however short, ends with a durable commit, and an edit that comes meanwhile waits for both. So
while High has traffic, Low works directly after an edit went through, when the next one is as far away as it will ever
be, and for a share of the time that lies between two. One rule for all Low work, whatever step does it (decision 0017).
"""

from collections.abc import Callable
from math import inf

from ops.engine.settings import EngineSettings
from proto.lane import Lane

ALONE_AFTER_MS = 50.0
"""Low work that has waited so long for an edit to end goes on for one slice without."""

_GONE_AFTER_MS = 2 * ALONE_AFTER_MS  # who has not asked for so long has nothing to do any more

FIRST_BUDGET_MS = 100.0
"""Nobody waits for an edit while nothing has been published yet."""


def _never() -> bool:
    return False


class Traffic:
    """One for a loop, which calls `turn` and `passed`. No clock: times are arguments, monotonic ms.

    calm: whether nobody waits for edits yet, so that slices may be long
    """

    def __init__(self, settings: EngineSettings) -> None:
        self.calm: Callable[[], bool] = _never
        self._settings = settings
        self._seen_ms = [-inf] * len(Lane)
        self._high = False  # High was seen in this pass
        self._high_ms = -inf  # when High work was last committed
        self._after_high = False  # there was nothing but slices since then
        self._credit_ms = 0.0  # how long Low may work now that it was
        self._lively = False  # High work or a slice in this turn
        self._sliced = False  # a slice in this turn
        self._slice_ms = -inf  # when the slice in this pass began
        self._turned_ms = -inf
        self._waits_ms: dict[str, float] = {}  # who -> since when it waits for a slice
        self._asked_ms: dict[str, float] = {}  # when it asked last
        self._served_ms: dict[str, float] = {}  # when its last slice began

    def saw(self, lane: Lane, now_ms: float) -> None:
        """A message of this lane was there."""
        self._seen_ms[lane] = now_ms
        self._high |= lane is Lane.HIGH

    def budget_ms(self, lane: Lane, now_ms: float) -> float:
        """How long work of this lane may keep the loop busy: short while a higher lane has traffic."""
        if lane is Lane.HIGH:
            return self._settings.batch_ms_max
        if self.calm():
            return FIRST_BUDGET_MS
        busy = any(self._has_traffic(higher, now_ms) for higher in Lane if higher < lane)
        return self._settings.slice_ms_max if busy else self._settings.lower_batch_ms_max

    def ask(self, who: str, now_ms: float) -> float:
        """How long a step that has work in the Low lane may do it now; 0.0: not now.

        While High has traffic there is one slice a turn; of several who ask, it goes to the one that waits longest.
        """
        if self._has_traffic(Lane.HIGH, now_ms) and not self.calm():
            self._asked_ms[who] = now_ms
            self._waits_ms.setdefault(who, now_ms)
            if self._sliced or not self._is_next(who) or not self._may(who, now_ms):
                return 0.0
            self._slice_ms = self._served_ms[who] = now_ms
            self._sliced = self._lively = True
            del self._waits_ms[who]
        return self.budget_ms(Lane.LOW, now_ms)

    def turn(self, now_ms: float) -> None:
        """From now on every step is called once."""
        self._turned_ms = now_ms
        self._after_high &= self._lively
        self._sliced = self._lively = False
        for who in [who for who in self._waits_ms if self._asked_ms[who] <= now_ms - _GONE_AFTER_MS]:
            del self._waits_ms[who]

    def passed(self, now_ms: float) -> None:
        """A pass has ended: a slice in it is paid for, with its commit; High work in it earns time for the next."""
        if self._slice_ms > -inf:
            self._credit_ms -= now_ms - self._slice_ms
            self._slice_ms = -inf
        if self._high:
            between_ms = now_ms - self._high_ms
            earned_ms = between_ms * self._settings.low_share if between_ms < self._settings.traffic_ms else 0.0
            self._credit_ms = min(self._credit_ms, 0.0) + earned_ms
            self._high, self._high_ms, self._after_high, self._lively = False, now_ms, True, True

    def due_ms(self) -> float:
        """When Low work that waits goes on without an edit; infinity: none waits. Whoever did not ask in the first turn
        after that is gone, or will be asked anyway."""
        dues_ms = [since_ms + ALONE_AFTER_MS for since_ms in self._waits_ms.values()]
        return min((due_ms for due_ms in dues_ms if due_ms > self._turned_ms), default=inf)

    def _is_next(self, who: str) -> bool:
        last_ms = self._served_ms.get(who, -inf)
        return all(self._served_ms.get(rival, -inf) >= last_ms for rival in self._waits_ms)

    def _may(self, who: str, now_ms: float) -> bool:
        return (self._after_high and self._credit_ms > 0) or now_ms >= self._waits_ms[who] + ALONE_AFTER_MS

    def _has_traffic(self, lane: Lane, now_ms: float) -> bool:
        return self._seen_ms[lane] > now_ms - self._settings.traffic_ms
