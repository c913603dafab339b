"""Passes and the loop: groups, failing steps, positions that ride, sleeping, draining."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import structlog

from ops.engine.loop import Loop, Periodic
from ops.engine.pace import Pace
from ops.engine.passes import Pass
from ops.engine.step import FunctionStep
from proto.errors import UnavailableError
from proto.lane import Lane
from proto.ports.log import Log
from proto.ports.processor import DONE, Drop, Item, Outcome, Retry

if TYPE_CHECKING:
    from tests.unit.ops.engine.conftest import Bench


def source(bench: "Bench", rows: list[bytes], topic: str = "in.high", **more: object) -> FunctionStep:
    """Takes one row of `rows` a call and appends it; an undone group gives it back."""
    taken: list[bytes] = []

    def poll() -> bool:
        if not rows:
            return False
        taken.append(rows.pop(0))
        bench.log.append(topic, 0, [taken[-1]])
        return True

    def undone() -> None:
        rows[:0] = taken
        taken.clear()

    return FunctionStep(
        "source", poll, bench.clock, bench.settings, committed=taken.clear, undone=undone, **more  # type: ignore[arg-type]
    )  # fmt: skip


def two_passes(bench: "Bench", rows: list[bytes]) -> Loop:
    """Source -> first -> mid topic | second -> out, as gateway, updater and argus are put together."""
    first = type(bench.script)(bench.log, out="mid")
    topics = {Lane.HIGH: "mid"}
    return bench.loop(
        bench.make_pass(source(bench, rows), bench.stage(first, ordered=True, name="first"), name="A"),
        bench.make_pass(bench.stage(name="second", topics=topics), name="B"),
    )


def test_a_single_edit_costs_two_durable_commits_positions_included(bench: "Bench") -> None:
    rows: list[bytes] = []
    loop = two_passes(bench, rows)
    loop.drain()
    rows.append(b"edit")
    before = bench.environment.commits
    loop.drain()
    assert bench.out() == [b"edit"]
    assert bench.environment.commits - before == 2
    assert bench.position(name="first") == 1
    assert bench.log.position("second", "mid", 0) == 1


def test_a_pass_without_work_commits_nothing(bench: "Bench") -> None:
    loop = two_passes(bench, [])
    before = bench.environment.commits
    for _ in range(5):
        loop.turn()
    assert bench.environment.commits == before


def test_positions_without_a_ride_are_saved_when_the_loop_is_idle(bench: "Bench") -> None:
    bench.script.rules[b"nothing to write"] = Drop("")
    bench.send(b"nothing to write")
    loop = bench.loop(bench.make_pass(bench.stage()))
    before = bench.environment.commits
    loop.turn()
    assert bench.environment.commits == before
    assert bench.positions.unsaved() == 1
    stop_after(bench, loop, sleeps=3)
    loop.run()
    assert bench.environment.commits == before + 1
    assert bench.position() == 1
    assert bench.bell.timeouts_ms[0] == bench.settings.flush_ms


def test_positions_without_a_ride_go_with_the_next_write(bench: "Bench") -> None:
    bench.script.rules[b"nothing to write"] = Drop("")
    bench.send(b"nothing to write", lane=Lane.LOW)
    loop = bench.loop(bench.make_pass(bench.stage()))
    loop.turn()
    bench.send(b"1")
    before = bench.environment.commits
    loop.turn()
    assert bench.environment.commits == before + 1
    assert bench.position(Lane.LOW) == 1


def test_positions_of_an_undone_group_are_not_saved(bench: "Bench") -> None:
    def broken() -> bool:
        raise ValueError

    step = FunctionStep("broken", broken, bench.clock, bench.settings)
    bench.send(b"1")
    one = bench.make_pass(bench.stage(), step)
    one.run()
    assert bench.out() == []
    assert bench.positions.unsaved() == 0
    bench.positions.flush()
    assert bench.position() == 0
    one.run()
    assert bench.out() == [b"1"]


def test_a_failing_step_backs_off_and_does_not_stop_the_others(bench: "Bench") -> None:
    calls: list[float] = []

    def broken() -> bool:
        calls.append(bench.clock.ms)
        bench.log.append("out", 0, [b"half done"])
        raise ValueError("bad row in ads")

    rows = [b"1", b"2", b"3"]
    step = FunctionStep("broken", broken, bench.clock, bench.settings)
    one = bench.make_pass(source(bench, rows), bench.stage(), step)
    loop = bench.loop(one)
    bench.run_for(loop, 200, step_ms=1)
    assert bench.out() == [b"1", b"2", b"3"]
    assert rows == []
    assert len(calls) <= 6  # at 0, 10, 30, 70, 150 ms, and once more at the most
    state = one.states[2]
    assert (state.last_error, state.errors, state.failing) == ("ValueError: bad row in ads", len(calls), True)
    assert one.states[0].last_error == ""


def test_an_error_that_goes_on_is_told_every_ten_seconds_and_another_one_at_once(bench: "Bench") -> None:
    failure: list[Exception | None] = [ValueError("no file")]

    def broken() -> bool:
        if failure[0] is not None:
            raise failure[0]
        return False

    loop = bench.loop(bench.make_pass(FunctionStep("broken", broken, bench.clock, bench.settings)))
    with structlog.testing.capture_logs() as told:
        bench.run_for(loop, 25_000, step_ms=500)
        assert [line["error"] for line in told] == ["ValueError: no file"] * 3  # tried every 2 s
        failure[0] = KeyError("ads")
        bench.run_for(loop, 5_000, step_ms=500)
        assert [line["error"] for line in told[3:]] == ["KeyError: 'ads'"]
        failure[0] = None
        bench.run_for(loop, 5_000, step_ms=500)
        failure[0] = KeyError("ads")
        bench.run_for(loop, 1_000, step_ms=500)
    assert [line["error"] for line in told[4:]] == ["KeyError: 'ads'"]  # it had worked meanwhile


def test_a_stage_that_raises_takes_back_what_the_source_appended_then_sets_itself_apart(bench: "Bench") -> None:
    bench.script.rules[b"poison"] = ZeroDivisionError()
    rows = [b"1", b"poison", b"2"]
    loop = bench.loop(bench.make_pass(source(bench, rows), bench.stage(ordered=True)))
    bench.run_for(loop, 1000)
    assert bench.out() == [b"1", b"2"]
    assert [message.value for message in bench.log.read("in.high", 0, 0, 10)] == [b"1", b"poison", b"2"]
    assert [letter.message for letter in bench.letters.entries()] == [b"poison"]


class FullDisk:
    """A group that fails at its end, while the disk is full."""

    def __init__(self, log: Log) -> None:
        self.full = True
        self.writing = log.writing
        self._log = log

    @contextmanager
    def group(self) -> Iterator[None]:
        with self._log.group():
            yield
            if self.full and self.writing():
                raise UnavailableError("the disk is full")


def test_a_commit_that_fails_undoes_the_memory_of_all_steps_and_is_tried_again(bench: "Bench") -> None:
    rows = [b"1"]
    disk = FullDisk(bench.log)
    steps = [source(bench, rows), bench.stage()]
    one = Pass("pass", steps, disk, bench.positions, bench.clock, bench.settings)
    loop = bench.loop(one)
    bench.run_for(loop, 100)
    assert rows == [b"1"]
    assert one.last_error == "UnavailableError: the disk is full"
    assert [state.last_error for state in one.states] == ["", ""]
    disk.full = False
    bench.run_for(loop, 3000, step_ms=100)
    assert bench.out() == [b"1"]
    assert bench.letters.count() == 0
    assert one.last_error == "", "it can commit again"


def test_commits_that_fail_beside_a_failing_step_are_told_as_one_failure(bench: "Bench") -> None:
    """Then each step has a group of its own, and those that write nothing succeed, which says nothing of the disk."""

    def fail() -> bool:
        raise OSError("no space left on device")

    rows, disk = [b"1"], FullDisk(bench.log)
    broken = FunctionStep("broken", fail, bench.clock, bench.settings)
    idle = FunctionStep("idle", lambda: False, bench.clock, bench.settings)
    steps = [idle, broken, source(bench, rows)]
    one = Pass("pass", steps, disk, bench.positions, bench.clock, bench.settings)
    loop = bench.loop(one)
    bench.run_for(loop, 100)
    since_ms = one.failing_since_ms
    with structlog.testing.capture_logs() as told:
        for _ in range(60):
            bench.run_for(loop, 500, step_ms=10)
            assert (one.last_error, one.failing_since_ms) == ("UnavailableError: the disk is full", since_ms)
    assert 1 <= sum(one["event"] == "commit failed" for one in told) <= 4
    disk.full = False
    bench.run_for(loop, 3000, step_ms=100)
    assert bench.out("in.high") == [b"1"]
    assert (one.last_error, one.failing_since_ms) == ("", 0.0)


def test_housekeeping_that_fails_is_tried_again(bench: "Bench") -> None:
    calls = []

    def write_status() -> None:
        calls.append(1)
        raise OSError("no space left on device")

    rows = [b"1"]
    loop = bench.loop(bench.make_pass(source(bench, rows), bench.stage()))
    loop.periodically(Periodic(write_status, 100.0))
    bench.run_for(loop, 1000)
    assert bench.out() == [b"1"] and len(calls) > 1


def test_the_loop_sleeps_until_something_is_due(bench: "Bench") -> None:
    bench.script.rules[b"1"] = lambda item: DONE if item.attempt > 1 else Retry(30)
    bench.send(b"1")
    loop = bench.loop(bench.make_pass(bench.stage()))
    stop_after(bench, loop, sleeps=2)
    loop.run()
    assert bench.bell.timeouts_ms[0] == 30
    assert bench.out() == [b"1"]


@pytest.mark.parametrize("ordered", [False, True])
def test_what_has_waited_and_is_finished_wakes_nobody(bench: "Bench", ordered: bool) -> None:
    bench.script.rules[b"1"] = lambda item: DONE if item.attempt > 1 else Retry(30)
    bench.send(b"1")
    loop = bench.loop(bench.make_pass(bench.stage(ordered=ordered)))
    stop_after(bench, loop, sleeps=4)
    loop.run()
    assert bench.out() == [b"1"]
    assert min(bench.bell.timeouts_ms) > 0


def test_a_poller_is_asked_often_while_it_is_active_and_seldom_after_a_second_of_silence(bench: "Bench") -> None:
    rows = [b"1"]
    loop = bench.loop(bench.make_pass(source(bench, rows, pace=Pace(active_ms=0.5, quiet_ms=5.0))))
    stop_after(bench, loop, sleeps=2500)
    loop.run()
    assert bench.bell.timeouts_ms[:3] == pytest.approx([0.5] * 3)
    assert bench.bell.timeouts_ms[-3:] == pytest.approx([5.0] * 3)


def test_an_idle_poll_does_not_run_the_other_passes(bench: "Bench") -> None:
    looked: list[float] = []

    def look() -> bool:
        looked.append(bench.clock.ms)
        return False

    loop = bench.loop(
        bench.make_pass(source(bench, [], pace=Pace())),
        bench.make_pass(FunctionStep("other", look, bench.clock, bench.settings)),
    )
    stop_after(bench, loop, sleeps=200)
    loop.run()
    elapsed_ms = bench.clock.ms - 1000
    assert loop.turns >= 200
    assert len(looked) <= elapsed_ms / bench.settings.quiet_sweep_ms + 2


def test_a_quiet_loop_looks_at_everything_less_often(bench: "Bench") -> None:
    loop = bench.loop(bench.make_pass(bench.stage()))
    bench.send(b"1")
    stop_after(bench, loop, sleeps=60)
    loop.run()
    assert bench.settings.sweep_ms in bench.bell.timeouts_ms
    assert bench.bell.timeouts_ms[-3:] == pytest.approx([bench.settings.quiet_sweep_ms] * 3)


def test_stop_finishes_the_pass_under_way_and_saves_positions(bench: "Bench") -> None:
    def stop(item: Item) -> Outcome:
        loop.stop()
        return Drop("")

    bench.script.rules[b"2"] = stop
    bench.send(b"1", b"2", b"3")
    bench.send(b"low", lane=Lane.LOW)
    loop = bench.loop(bench.make_pass(bench.stage()))
    loop.run()
    assert bench.script.batches == [[b"1", b"2", b"3"]]
    assert bench.position() == 3


def test_housekeeping_is_done_at_its_times_and_at_the_end(bench: "Bench") -> None:
    times: list[float] = []
    task = Periodic(lambda: times.append(bench.clock.ms - 1000), every_ms=1250)
    loop = Loop([], bench.positions, bench.bell, bench.traffic, bench.clock, bench.settings, [task])
    stop_after(bench, loop, sleeps=10)
    loop.run()
    assert times == [0, 1500, 3000, 4500, 5000]


def stop_after(bench: "Bench", loop: Loop, sleeps: int) -> None:
    """Stops the loop in its sleep number `sleeps`."""
    wait = bench.bell.wait

    def counted(timeout_ms: float) -> bool:
        if loop.sleeps >= sleeps:
            loop.stop()
        return wait(timeout_ms)

    bench.bell.wait = counted  # type: ignore[method-assign]


def test_stop_from_another_thread(bench: "Bench") -> None:
    loop = bench.loop(bench.make_pass(bench.stage()))

    def stop_once_it_sleeps() -> None:
        while not loop.sleeps:
            time.sleep(0.001)
        loop.stop()

    thread = threading.Thread(target=stop_once_it_sleeps)
    thread.start()
    loop.run()
    thread.join()
    assert loop.sleeps > 0
