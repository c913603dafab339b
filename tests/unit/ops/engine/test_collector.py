"""When the garbage collector works: before the loop sleeps, not in the middle of an edit."""

import gc
from weakref import ref

from ops.engine.collector import (
    RESTING_YOUNG_MIN,
    SILENT_MS,
    WHOLE_EVERY_MS,
    YOUNG_IN_A_TURN_MAX,
    YOUNG_MAX,
    Collector,
    seldom,
)  # fmt: skip


class Ring:
    """A cycle, of which only the collector can make an end."""

    def __init__(self) -> None:
        self.own = self


def test_the_young_are_collected_at_rest_and_what_is_left_is_not_looked_at_again() -> None:
    with seldom():
        resting = Collector(0.0)
        ring, kept = Ring(), [[number] for number in range(RESTING_YOUNG_MIN)]
        gone = ref(ring)
        del ring
        resting.rest(1.0, 0.0)
        assert gone() is None
        assert gc.get_freeze_count() >= len(kept) and gc.get_count()[0] < RESTING_YOUNG_MIN


def test_a_few_young_are_left_alone() -> None:
    with seldom():
        gc.collect()
        ring = Ring()
        alive = ref(ring)
        del ring
        Collector(0.0).rest(1.0, 0.0)
        assert alive() is not None


def test_while_there_is_always_work_much_that_is_young_is_collected_between_two_turns_and_not_within() -> None:
    with seldom(YOUNG_IN_A_TURN_MAX):
        working = Collector(0.0)
        ring, kept = Ring(), [[number] for number in range(YOUNG_MAX // 2)]
        gone = ref(ring)
        del ring
        working.go_on()
        assert gone() is not None, "there is not much yet"
        kept += [[number] for number in range(YOUNG_MAX)]
        assert gone() is not None
        working.go_on()
        assert gone() is None
        assert gc.get_freeze_count() >= len(kept)


def test_everything_is_looked_at_in_silence_once_an_hour() -> None:
    with seldom():
        resting = Collector(0.0)
        ring = Ring()
        old = ref(ring)
        gc.collect(0)
        gc.freeze()
        del ring
        resting.rest(WHOLE_EVERY_MS, WHOLE_EVERY_MS - SILENT_MS / 2)
        assert old() is not None, "there was work half a minute ago"
        resting.rest(WHOLE_EVERY_MS - 1.0, 0.0)
        assert old() is not None, "not yet"
        resting.rest(WHOLE_EVERY_MS + SILENT_MS, WHOLE_EVERY_MS)
        assert old() is None
