"""What becomes of messages: retries, held partitions, poison, dead letters, positions after a crash."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ops.engine.settings import EngineSettings
from proto.errors import DESCRIBED_MAX, CorruptionError, FencedError, SettingsError, UnavailableError
from proto.lane import Lane
from proto.ports.processor import DONE, DeadLetter, Drop, Item, Outcome, Retry

if TYPE_CHECKING:
    from tests.unit.ops.engine.conftest import Bench


def retry_until(bench: "Bench", attempt: int, after_ms: float = 5) -> Callable[[Item], Outcome]:
    return lambda item: DONE if item.attempt >= attempt else Retry(after_ms)


def test_a_batch_is_what_has_arrived(bench: "Bench") -> None:
    stage = bench.stage()
    loop = bench.loop(bench.make_pass(stage))
    bench.send(b"1", b"2")
    bench.send(b"3")
    loop.drain()
    assert bench.script.batches == [[b"1", b"2", b"3"]]
    assert bench.out() == [b"1", b"2", b"3"]
    assert stage.counters.done == stage.counters.items == stage.counters.batch_items_max == 3
    assert stage.backlog() == {Lane.HIGH: 0, Lane.MEDIUM: 0, Lane.LOW: 0}


def test_high_goes_before_low(bench: "Bench") -> None:
    loop = bench.loop(bench.make_pass(bench.stage()))
    bench.send(b"low", lane=Lane.LOW)
    bench.send(b"medium", lane=Lane.MEDIUM)
    bench.send(b"high")
    bench.run_for(loop, 60)
    assert bench.script.batches == [[b"high"], [b"medium"], [b"low"]]


def test_unordered_lets_later_messages_pass_one_that_waits(bench: "Bench") -> None:
    loop = bench.loop(bench.make_pass(bench.stage()))
    bench.script.rules[b"1"] = retry_until(bench, 3)
    bench.send(b"1", b"2", b"3")
    loop.drain()
    bench.send(b"4")
    loop.drain()
    assert bench.out() == [b"2", b"3", b"4"]
    assert bench.position() == 0
    bench.run_for(loop, 100)
    assert bench.out() == [b"2", b"3", b"4", b"1"]
    assert bench.script.attempts.count((b"1", 3)) == 1
    assert bench.position() == 4


def test_ordered_holds_its_partition_but_not_the_others(bench: "Bench") -> None:
    loop = bench.loop(bench.make_pass(bench.stage(ordered=True)))
    bench.script.rules[b"2"] = retry_until(bench, 2)
    bench.send(b"1", b"2", b"3")
    bench.send(b"other", partition=1)
    loop.drain()
    bench.send(b"4")
    loop.drain()
    assert [value for value, _ in bench.script.attempts].count(b"4") == 0
    assert b"other" in bench.out()
    assert bench.position() == 1
    bench.run_for(loop, 50)
    assert bench.position() == 4
    assert [value for value in bench.out() if value != b"other"][-3:] == [b"2", b"3", b"4"]


def test_retries_wait_longer_each_time(bench: "Bench") -> None:
    offered_ms: list[float] = []

    def never(item: Item) -> Outcome:
        offered_ms.append(bench.clock.ms)
        return Retry(4)

    bench.script.rules[b"1"] = never
    loop = bench.loop(bench.make_pass(bench.stage()))
    bench.send(b"1")
    bench.run_for(loop, 200, step_ms=1)
    waits = [after - before for before, after in pairwise(offered_ms)]
    assert waits == [4, 8, 16, 32, 64]


def test_dead_letters_keep_the_message_and_the_lane_goes_on(bench: "Bench") -> None:
    stage = bench.stage(ordered=True)
    loop = bench.loop(bench.make_pass(stage))
    bench.script.rules[b"bad"] = DeadLetter("no such table")
    bench.script.rules[b"stale"] = Drop("too old")
    bench.send(b"1", b"bad", b"stale", b"2", lane=Lane.MEDIUM)
    loop.drain()
    assert bench.out() == [b"1", b"2"]
    (letter,) = bench.letters.entries()
    assert (letter.stage, letter.subject, letter.reason) == ("apply", "in.medium/0@1", "no such table")
    assert (letter.message, letter.topic, letter.partition, letter.attempts) == (b"bad", "in.medium", 0, 1)
    assert letter.lane == Lane.MEDIUM
    assert (stage.counters.done, stage.counters.dead_letters, stage.counters.dropped) == (2, 1, 1)
    assert bench.position(Lane.MEDIUM) == 4


@pytest.mark.parametrize("ordered", [True, False])
def test_poison_is_found_tried_and_becomes_a_dead_letter_while_the_rest_goes_on(bench: "Bench", ordered: bool) -> None:
    stage = bench.stage(ordered=ordered)
    loop = bench.loop(bench.make_pass(stage))
    bench.script.rules[b"poison"] = ZeroDivisionError("division by zero")
    bench.send(b"1", b"2", b"poison", b"3", b"4")
    bench.run_for(loop, 1000)
    assert bench.out() == ([b"1", b"2", b"3", b"4"])
    alone = [batch for batch in bench.script.batches if batch == [b"poison"]]
    assert len(alone) == bench.settings.attempts_max
    (letter,) = bench.letters.entries()
    assert letter.reason == "ZeroDivisionError: division by zero"
    assert (letter.message, letter.attempts) == (b"poison", bench.settings.attempts_max)
    assert bench.position() == 5
    bench.send(b"5", b"6")
    loop.drain()
    assert bench.script.batches[-1] == [b"5", b"6"]


def test_an_error_that_cant_be_stored_as_it_is_condemns_its_message_alone(bench: "Bench") -> None:
    bench.script.rules[b"poison"] = ValueError("half a character: \ud800" + "x" * DESCRIBED_MAX)
    loop = bench.loop(bench.make_pass(bench.stage()))
    bench.send(b"1", b"poison", b"3")
    bench.run_for(loop, 1000)
    assert sorted(bench.out()) == [b"1", b"3"]
    (letter,) = bench.letters.entries()
    assert (
        letter.reason.startswith(r"ValueError: half a character: \ud800x") and len(letter.reason) == DESCRIBED_MAX + 3
    )


def test_a_message_that_raises_once_is_processed_the_second_time(bench: "Bench") -> None:
    loop = bench.loop(bench.make_pass(bench.stage()))
    raised: list[Item] = []

    def once(item: Item) -> Outcome:
        if not raised:
            raised.append(item)
            raise ValueError
        return DONE

    bench.script.rules[b"1"] = once
    bench.send(b"1")
    bench.run_for(loop, 50)
    assert bench.out() == [b"1"]
    assert bench.letters.count() == 0


@pytest.mark.parametrize("error", [UnavailableError("the store does not answer"), SettingsError("no such group")])
def test_what_no_message_is_to_blame_for_is_tried_for_ever(bench: "Bench", error: Exception) -> None:
    stage = bench.stage()
    loop = bench.loop(bench.make_pass(stage))
    bench.script.rules[b"1"] = error
    bench.send(b"1", b"2")
    bench.run_for(loop, 20_000, step_ms=100)
    assert bench.out() == []
    assert len(bench.script.batches) > bench.settings.attempts_max
    assert all(batch == [b"1", b"2"] for batch in bench.script.batches)
    del bench.script.rules[b"1"]
    bench.run_for(loop, 3000, step_ms=100)
    assert bench.out() == [b"1", b"2"]
    assert bench.letters.count() == 0


@pytest.mark.parametrize("error", [CorruptionError("bytes"), FencedError("epoch")])
def test_errors_that_the_process_must_not_survive_stop_the_loop(bench: "Bench", error: Exception) -> None:
    loop = bench.loop(bench.make_pass(bench.stage()))
    bench.script.rules[b"2"] = error
    bench.send(b"1", b"2")
    with pytest.raises(type(error)):
        loop.run()
    assert bench.out() == []
    assert bench.position() == 0


def test_after_a_crash_exactly_what_is_above_the_saved_position_is_offered_again(
    open_bench: "Callable[[], Bench]",
) -> None:
    first = open_bench()
    loop = first.loop(first.make_pass(first.stage()))
    first.script.rules[b"3"] = Retry(1000)
    first.send(b"1", b"2", b"3", b"4", b"5")
    loop.drain()
    assert first.out() == [b"1", b"2", b"4", b"5"]
    second = open_bench()
    loop = second.loop(second.make_pass(second.stage()))
    loop.drain()
    assert second.script.batches == [[b"3", b"4", b"5"]]
    third = open_bench()
    third.loop(third.make_pass(third.stage())).drain()
    assert third.script.batches == []


def test_a_crash_inside_the_group_leaves_neither_effects_nor_positions(open_bench: "Callable[[], Bench]") -> None:
    first = open_bench()

    def crash(item: Item) -> Outcome:
        raise KeyboardInterrupt

    first.script.rules[b"2"] = crash
    first.send(b"1", b"2")
    with pytest.raises(KeyboardInterrupt):
        first.loop(first.make_pass(first.stage())).drain()
    second = open_bench()
    assert second.out() == []
    second.loop(second.make_pass(second.stage())).drain()
    assert second.script.batches == [[b"1", b"2"]]


def test_two_consumers_have_positions_of_their_own(bench: "Bench") -> None:
    other = type(bench.script)(bench.log, out="other")
    loop = bench.loop(bench.make_pass(bench.stage()), bench.make_pass(bench.stage(other, name="d")))
    bench.send(b"1", b"2")
    loop.drain()
    assert bench.out() == bench.out("other") == [b"1", b"2"]


def test_a_paused_lane_waits_and_wakes_nobody(bench: "Bench") -> None:
    stage = bench.stage()
    loop = bench.loop(bench.make_pass(stage))
    bench.script.rules[b"1"] = Retry(5)
    bench.send(b"1")
    loop.drain()
    stage.lanes.paused = frozenset({Lane.HIGH})
    assert stage.wake_ms() == float("inf")
    bench.send(b"2")
    bench.send(b"low", lane=Lane.LOW)
    bench.run_for(loop, 100)
    assert bench.out() == [b"low"]
    stage.lanes.paused = frozenset()
    del bench.script.rules[b"1"]
    bench.run_for(loop, 100)
    assert bench.out() == [b"low", b"1", b"2"]


def test_batches_adapt_to_what_a_message_costs(open_bench: "Callable[..., Bench]") -> None:
    bench = open_bench(EngineSettings(batch_ms_max=10))

    def costly(item: Item) -> Outcome:
        bench.clock.ms += 1
        return Drop("")

    for number in range(500):
        bench.script.rules[b"%d" % number] = costly
    bench.send(*[b"%d" % number for number in range(500)])
    bench.loop(bench.make_pass(bench.stage())).drain()
    assert {len(batch) for batch in bench.script.batches[1:-1]} == {10}


def test_low_work_goes_in_short_slices_while_high_has_traffic(bench: "Bench") -> None:
    """Each Low message takes 0.25 ms; High ones arrive all the time: none waits for more than one slice."""

    def cost(item: Item) -> Outcome:
        bench.clock.ms += 0.25
        return Drop("")

    bench.script.rules = {b"low": cost, b"high": cost}
    bench.send(*[b"low"] * 2000, lane=Lane.LOW)
    loop = bench.loop(bench.make_pass(bench.stage()))
    for _ in range(300):
        bench.send(b"high")
        loop.turn()
        loop.turn()
        bench.clock.ms += 3  # Low rests so long behind a slice
    low = [len(batch) for batch in bench.script.batches if batch[0] == b"low"]
    assert sum(low) > 500
    assert max(low[3:]) <= 4
    behind = [len(batch) for batch in bench.script.batches if batch[0] == b"high"]
    assert max(behind) <= 2


def test_messages_that_retention_took_are_skipped_and_counted(bench: "Bench") -> None:
    stage = bench.stage()
    loop = bench.loop(bench.make_pass(stage))
    bench.send(b"1", b"2")
    loop.drain()
    stage.lanes.paused = frozenset({Lane.HIGH})
    bench.send(b"3", b"4", b"5")
    bench.log.trim("in.high", 0, 4)
    stage.lanes.paused = frozenset()
    loop.drain()
    assert bench.out() == [b"1", b"2", b"5"]
    assert stage.counters.skipped == 2


def test_a_missing_outcome_is_an_error_not_a_lost_message(bench: "Bench") -> None:
    class Forgetful:
        def process(self, batch: object) -> list[Outcome]:
            return []

    stage = bench.stage(Forgetful())  # type: ignore[arg-type]
    bench.send(b"1")
    bench.run_for(bench.loop(bench.make_pass(stage)), 1000)
    (letter,) = bench.letters.entries()
    assert "1 messages, 0 outcomes" in letter.reason


def test_messages_below_the_bound_go_to_the_dropper_ahead_of_others_and_in_a_paused_lane(bench: "Bench") -> None:
    dropper = type(bench.script)(bench.log, out="dropped")
    stage = bench.stage(dropper=dropper)
    loop = bench.loop(bench.make_pass(stage))
    stage.lanes.paused = frozenset({Lane.LOW})
    bench.send(b"1", b"2", b"3", lane=Lane.LOW)
    bench.send(b"high")
    stage.consumer.drop_below(Lane.LOW, {0: 2, 7: 9})
    loop.drain()
    assert (bench.out("dropped"), bench.out()) == ([b"1", b"2"], [b"high"])
    assert dropper.batches == [[b"1", b"2"]]
    assert bench.position(Lane.LOW) == 2
    stage.lanes.paused = frozenset()
    bench.run_for(loop, 60)
    assert bench.out() == [b"high", b"3"]


@pytest.mark.parametrize("ordered", [True, False])
def test_what_waits_for_another_attempt_is_dropped_when_it_is_due(bench: "Bench", ordered: bool) -> None:
    dropper = type(bench.script)(bench.log, out="dropped")
    stage = bench.stage(ordered=ordered, dropper=dropper)
    loop = bench.loop(bench.make_pass(stage))
    bench.script.rules[b"1"] = Retry(50)
    bench.send(b"1", b"2")
    loop.drain()
    stage.consumer.drop_below(Lane.HIGH, {0: 2})
    bench.run_for(loop, 100)
    assert bench.out("dropped") == ([b"1", b"2"] if ordered else [b"1"])
    assert bench.out() == [b"2"]  # of the first batch, before anybody wanted it dropped


def test_a_dropper_that_fails_is_tried_again_and_nothing_is_processed_instead(bench: "Bench") -> None:
    dropper = type(bench.script)(bench.log, out="dropped")
    stage = bench.stage(dropper=dropper)
    loop = bench.loop(bench.make_pass(stage))
    dropper.rules[b"2"] = UnavailableError("busy")
    bench.send(b"1", b"2", b"3")
    stage.consumer.drop_below(Lane.HIGH, {0: 2})
    bench.run_for(loop, 30)
    assert bench.out() == [] == bench.out("dropped")
    del dropper.rules[b"2"]
    bench.run_for(loop, 3000)
    assert (bench.out("dropped"), bench.out()) == ([b"1", b"2"], [b"3"])
