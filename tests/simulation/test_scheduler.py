"""The scheduler does one thing after the other, the same for the same seed, and tells of what never ends."""

from random import Random

import pytest

from tests.simulation.scheduler import NeverEndsError, Process, Promise, Scheduler


def walk(seed: int) -> tuple[list[str], str]:
    """Three processes that sleep by chance: (in which order they went on, digest of the trace)."""
    scheduler, order = Scheduler(Random(seed)), list[str]()
    for process in (Process("a"), Process("b"), Process("c")):

        def work(process: Process = process) -> None:
            for _ in range(5):
                scheduler.sleep(scheduler.random.uniform(0, 10))
                order.append(process.name)
                scheduler.trace.add(process.name, "was here")

        scheduler.spawn(process, work)
    scheduler.run()
    return order, scheduler.trace.digest()


def test_a_seed_gives_one_order_and_another_seed_another() -> None:
    assert walk(1) == walk(1)
    assert walk(1) != walk(2)
    assert sorted(walk(1)[0]) == sorted("abc" * 5)


def test_a_crashed_process_does_not_go_on_and_may_not_clean_up() -> None:
    scheduler, process, reached = Scheduler(Random(1)), Process("a"), list[str]()

    def work() -> None:
        try:
            scheduler.sleep(10)
            reached.append("after the crash")
        finally:
            reached.append("finally")

    scheduler.spawn(process, work)
    scheduler.later(5, lambda: scheduler.crash(process))
    scheduler.run()
    assert reached == ["finally"]


def test_a_stopped_process_goes_on_later() -> None:
    scheduler, process = Scheduler(Random(1)), Process("a")

    def work() -> None:
        scheduler.sleep(10)
        process.calls += 1

    scheduler.spawn(process, work)
    process.stopped_until_ms = 50.0
    scheduler.run(until=lambda: scheduler.now_ms >= 50.0)
    assert process.calls == 0
    scheduler.run()
    assert process.calls == 1
    assert scheduler.now_ms == 60.0


def test_an_answer_wakes_who_waits_for_it_once() -> None:
    scheduler, got = Scheduler(Random(1)), list[object]()

    def work() -> None:
        promise, broken = Promise(scheduler), Promise(scheduler)
        scheduler.later(1, lambda: promise.keep("first"))
        scheduler.later(2, lambda: promise.keep("second"))
        got.append(promise.wait())
        scheduler.sleep(5)
        got.append(promise.wait())
        with pytest.raises(ValueError, match="an error"):
            scheduler.later(1, lambda: broken.keep(ValueError("an error")))
            broken.wait()

    scheduler.spawn(Process("a"), work)
    scheduler.run()
    assert got == ["first", "first"]


def test_what_turns_in_a_circle_is_told() -> None:
    scheduler = Scheduler(Random(1), steps_max=100)

    def work() -> None:
        while True:
            scheduler.sleep(1)

    scheduler.spawn(Process("a"), work)
    with pytest.raises(NeverEndsError, match="a still does not end"):
        scheduler.run()


def test_an_error_of_a_task_ends_the_run() -> None:
    scheduler = Scheduler(Random(1))
    scheduler.spawn(Process("a"), lambda: int("x"))
    with pytest.raises(ValueError, match="invalid literal"):
        scheduler.run()


def test_what_still_waits_is_ended_and_forgotten() -> None:
    scheduler, process = Scheduler(Random(1)), Process("a")

    def stubborn() -> None:
        try:
            Promise(scheduler).wait()
        finally:
            scheduler.sleep(1.0)

    tasks = [scheduler.spawn(process, work) for work in (stubborn, lambda: scheduler.sleep(5.0), lambda: None)]
    scheduler.run(until=lambda: scheduler.steps == 2)
    scheduler.end()
    assert all(task.runs.dead for task in tasks)
