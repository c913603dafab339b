"""The weighted choice: High first, Low never starved, short slices while High has traffic."""

from hypothesis import given
from hypothesis import strategies as st

from ops.engine.lanes import Lanes
from ops.engine.settings import EngineSettings
from ops.engine.traffic import Traffic
from proto.lane import Lane

SETTINGS = EngineSettings(batch_ms_max=20, lower_batch_ms_max=8, slice_ms_max=1, traffic_ms=1000)
EVERYTHING = (Lane.HIGH, Lane.MEDIUM, Lane.LOW)


class FreeTraffic(Traffic):
    """In which Low is never held: what is left is the choice by weight."""

    def ask(self, who: str, now_ms: float) -> float:
        return self.budget_ms(Lane.LOW, now_ms)


def lanes() -> Lanes:
    return Lanes("stage", FreeTraffic(SETTINGS))


def serve(chooser: Lanes, waiting: tuple[Lane, ...], now_ms: float) -> tuple[Lane, float]:
    """One choice that takes all of its budget: (lane, the time afterwards)."""
    choice = chooser.choose(waiting, now_ms)
    assert choice is not None
    chooser.served(choice.lane, choice.budget_ms)
    return choice.lane, now_ms + choice.budget_ms


def test_nothing_waiting_is_no_choice() -> None:
    assert lanes().choose((), 0) is None


def test_under_a_flood_of_all_lanes_time_is_shared_by_weight() -> None:
    chooser, now_ms, spent = lanes(), 0.0, dict.fromkeys(Lane, 0.0)
    while now_ms < 100_000:
        lane, after_ms = serve(chooser, EVERYTHING, now_ms)
        spent[lane] += after_ms - now_ms
        now_ms = after_ms
    assert 0.7 < spent[Lane.HIGH] / now_ms < 0.8
    assert 0.15 < spent[Lane.MEDIUM] / now_ms < 0.25
    assert 0.04 < spent[Lane.LOW] / now_ms < 0.06


def test_a_single_high_message_is_served_at_once_whatever_low_has_waiting() -> None:
    chooser, now_ms = lanes(), 0.0
    for _ in range(1000):
        for _ in range(7):
            lane, now_ms = serve(chooser, (Lane.LOW,), now_ms)
            assert lane is Lane.LOW
        choice = chooser.choose((Lane.LOW, Lane.HIGH), now_ms)
        assert choice is not None
        assert choice.lane is Lane.HIGH
        chooser.served(Lane.HIGH, 0.5)


def test_high_waits_for_one_slice_at_most_however_large_the_low_backlog_is() -> None:
    """High messages every 10 ms, 0.5 ms each, Low always waiting: High never waits longer than one slice."""
    chooser, now_ms, arrives_ms, waits = lanes(), 0.0, 0.0, []
    while len(waits) < 500:
        waiting = (Lane.LOW, Lane.HIGH) if arrives_ms <= now_ms else (Lane.LOW,)
        choice = chooser.choose(waiting, now_ms)
        assert choice is not None
        took_ms = 0.5 if choice.lane is Lane.HIGH else choice.budget_ms
        if choice.lane is Lane.HIGH:
            waits.append(now_ms - arrives_ms)
            arrives_ms += 10
        now_ms += took_ms
        chooser.served(choice.lane, took_ms)
    assert max(waits) <= SETTINGS.slice_ms_max


@given(st.lists(st.sets(st.sampled_from(list(Lane)), min_size=1), min_size=1, max_size=60))
def test_nobody_starves_whatever_came_before(history: list[set[Lane]]) -> None:
    chooser, now_ms = lanes(), 0.0
    for waiting in history:
        _, now_ms = serve(chooser, tuple(waiting), now_ms)
    began_ms, seen = now_ms, set()
    while now_ms - began_ms < 400:
        lane, now_ms = serve(chooser, EVERYTHING, now_ms)
        seen.add(lane)
    assert seen == set(Lane)


def test_lower_lanes_get_short_slices_only_while_a_higher_lane_has_traffic() -> None:
    traffic = Traffic(SETTINGS)
    assert traffic.budget_ms(Lane.LOW, 0) == 8
    traffic.saw(Lane.HIGH, 0)
    assert traffic.budget_ms(Lane.LOW, 500) == 1
    assert traffic.budget_ms(Lane.MEDIUM, 500) == 1
    assert traffic.budget_ms(Lane.HIGH, 500) == 20
    assert traffic.budget_ms(Lane.LOW, 1500) == 8
    traffic.saw(Lane.LOW, 1500)
    assert traffic.budget_ms(Lane.LOW, 1500) == 8


def test_low_that_must_wait_leaves_the_turn_to_others_and_gains_nothing_by_it() -> None:
    chooser = Lanes("stage", Traffic(SETTINGS))
    assert serve(chooser, (Lane.HIGH,), 0)[0] is Lane.HIGH
    assert chooser.choose((Lane.LOW,), 1) is None
    assert serve(chooser, (Lane.MEDIUM, Lane.LOW), 2)[0] is Lane.MEDIUM
    for now_ms in range(3, 40):
        assert serve(chooser, (Lane.HIGH, Lane.LOW), now_ms)[0] is Lane.HIGH


def test_a_paused_lane_is_left_alone_until_it_is_resumed() -> None:
    chooser = lanes()
    chooser.paused = frozenset({Lane.HIGH})
    assert serve(chooser, EVERYTHING, 0)[0] is not Lane.HIGH
    assert chooser.choose((Lane.HIGH,), 0) is None
    chooser.paused = frozenset()
    assert serve(chooser, (Lane.HIGH,), 0)[0] is Lane.HIGH
