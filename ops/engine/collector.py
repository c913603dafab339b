"""Python's garbage collector, set for a loop that makes many short-lived containers and hardly any cycles.

At the defaults it looks through everything again after each 700 new containers: 4 us a row, measured in the updater,
and pauses of milliseconds; and 100,000 young ones at once are a pause of 50 ms, in the middle of an edit. So they are
looked at before the loop sleeps, when nobody waits, a thousand at a time, and what is left of them is frozen: it is
cached, and will live long. While there is always work they are looked at between two turns: within a turn a burst keeps
hundreds of thousands alive until they are committed, and a look at them, 50 to 150 ms, finds nothing. Cycles that
become garbage after that are found in an hour of which a minute was silent.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_MAX = 100_000
"""While there is always work: better a pause now and then than none of the garbage."""
YOUNG_IN_A_TURN_MAX = 2_000_000
"""More than the rows of the largest unit need."""
GENERATIONS = (20, 50)

RESTING_YOUNG_MIN = 1_000
SILENT_MS = 60_000.0
WHOLE_EVERY_MS = 3_600_000.0


class Collector:
    """`rest` is called before each sleep, `go_on` after each turn that is not followed by one."""

    def __init__(self, now_ms: float) -> None:
        self._whole_ms = now_ms

    def rest(self, now_ms: float, worked_ms: float) -> None:
        """Collects what is young; everything, when there was no work since a minute and no such look for an hour.

        worked_ms: when there was something to do, last; monotonic, as now_ms.
        """
        self._look_at_young(RESTING_YOUNG_MIN)
        if now_ms - self._whole_ms >= WHOLE_EVERY_MS and now_ms - worked_ms >= SILENT_MS:
            self._whole_ms = now_ms
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    def go_on(self) -> None:
        """Collects what is young when there is much of it."""
        self._look_at_young(YOUNG_MAX)

    def _look_at_young(self, least: int) -> None:
        if gc.get_count()[0] >= least:
            gc.collect(0)
            gc.freeze()


@contextmanager
def seldom(young_max: int = YOUNG_MAX) -> Iterator[None]:
    """While the loop runs; afterwards everything is as it was."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(young_max, *GENERATIONS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
