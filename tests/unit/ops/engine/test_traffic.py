"""Low work beside edits: directly after one, for a share of the time, a slice at a time; and it never starves.

Loop, pass, stage and log are the real ones. An edit takes 3 ms, a slice of Low work 2 ms.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

import pytest

from ops.engine.settings import EngineSettings
from ops.engine.step import FunctionStep
from ops.engine.traffic import ALONE_AFTER_MS, FIRST_BUDGET_MS, Traffic
from proto.lane import Lane
from proto.ports.processor import DONE, Item, Outcome
from tests.unit.ops.engine.conftest import Bench

if TYPE_CHECKING:
    from collections.abc import Callable

HIGH_MS, LOW_MS = 3.0, 2.0
SETTINGS = EngineSettings(batch_items_max=1)


class Work:
    """A processor that takes time. began: when it worked on edits, and on slices of Low work."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.edits: list[float] = []
        self.slices: list[float] = []

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        for item in batch:
            edit = item.value == b"edit"
            (self.edits if edit else self.slices).append(self._bench.clock.ms)
            self._bench.clock.ms += HIGH_MS if edit else LOW_MS
            self._bench.log.append("out", 0, [item.value])
        return [DONE] * len(batch)


class Beside:
    """Edits that come at given times, and Low work. arrivals: of the edits."""

    def __init__(self, bench: Bench) -> None:
        self.arrivals: list[float] = []
        self.work = Work(bench)
        self.bench, self._clock = bench, bench.clock
        self._coming: list[tuple[float, int]] = []
        bench.bell.wait = self._wait  # type: ignore[method-assign]
        sender = FunctionStep("sender", self._send, bench.clock, bench.settings)
        self._loop = bench.loop(bench.make_pass(sender, bench.stage(self.work)))  # type: ignore[arg-type]

    def run(self, edits_ms: Iterable[float], low: int = 0, low_ms: float = 0.0) -> None:
        """Until the last of these edits was taken in, and that many pieces of Low work, which all come at low_ms."""
        coming = [(ms, 0) for ms in edits_ms] + [(low_ms, low)]
        self._coming = sorted((self._clock.ms + ms, pieces) for ms, pieces in coming)
        everything = True
        while self._coming:
            everything = self._loop.turn(everything) or self._loop._sleep()

    def slices_before(self, edit: int) -> int:
        """Slices that ran or began between the arrival of an edit and its turn."""
        arrived, began = self.arrivals[edit], self.work.edits[edit]
        return sum(arrived - LOW_MS < at < began for at in self.work.slices)

    def _send(self) -> bool:
        """An edit, or Low work, as somebody else would."""
        if not self._coming or self._coming[0][0] > self._clock.ms:
            return False
        at_ms, pieces = self._coming.pop(0)
        if pieces:
            self.bench.send(*[b"low"] * pieces, lane=Lane.LOW)
        else:
            self.arrivals.append(at_ms)
            self.bench.send(b"edit")
        return True

    def _wait(self, timeout_ms: float) -> bool:
        until_ms, next_ms = self._clock.ms + timeout_ms, self._coming[0][0]
        self._clock.ms = max(self._clock.ms, min(next_ms, until_ms))
        return next_ms <= until_ms


@pytest.fixture
def beside(open_bench: "Callable[[EngineSettings], Bench]") -> Beside:
    return Beside(open_bench(SETTINGS))


def test_steady_edits_never_wait_for_low_work_and_pay_for_one_commit_of_it_each(beside: Beside) -> None:
    beside.run([10.0 * number for number in range(300)], low=1000)
    assert [beside.slices_before(edit) for edit in range(299)] == [0] * 299
    assert 0.8 * 299 < len(beside.work.slices) < 1.3 * 299
    assert beside.bench.environment.commits <= 2 * 300 + 0.3 * 300


def test_an_edit_waits_for_one_slice_at_most_whenever_it_comes(beside: Beside) -> None:
    random = Random(7)
    beside.run(accumulate(random.expovariate(0.1) for _ in range(1000)), low=3000)
    behind = [beside.slices_before(edit) for edit in range(999)]
    assert behind.count(1) > 100, "some come in a slice, or there was none"
    assert max(behind) <= 2 and behind.count(2) < 25, "a second one only where Low would starve between two edits"
    elapsed_ms = beside.work.edits[-1] - beside.work.edits[0]
    assert 0.1 < len(beside.work.slices) * LOW_MS / elapsed_ms < 0.3


@pytest.mark.parametrize("between_ms", [35.0, 120.0, 400.0])
def test_low_gets_its_share_of_longer_pauses_behind_the_edit(beside: Beside, between_ms: float) -> None:
    beside.run([between_ms * number for number in range(40)], low=4000)
    assert 0.2 < len(beside.work.slices) * LOW_MS / (39 * between_ms) < 0.4
    assert sum(beside.slices_before(edit) for edit in range(39)) <= 2


def test_low_goes_on_under_a_flood(beside: Beside) -> None:
    beside.run([1.0 * number for number in range(1000)], low=1000)
    elapsed_ms = beside.work.edits[-1] - beside.work.edits[0]
    assert len(beside.work.slices) * LOW_MS / elapsed_ms > 0.04


def test_low_work_that_comes_shortly_before_an_edit_lets_it_pass(beside: Beside) -> None:
    beside.run([20.0 * number for number in range(11)], low=5, low_ms=198.0)
    beside.run([20.0])
    assert beside.work.slices[0] > beside.work.edits[10]


def test_when_edits_end_one_slice_goes_now_and_then_and_after_a_second_all(beside: Beside) -> None:
    beside.run([0.0, 1.0, 3000.0], low=2000, low_ms=20.0)
    last_ms = beside.arrivals[1]
    within = sum(at < last_ms + 950 for at in beside.work.slices)
    assert 950 / (ALONE_AFTER_MS + LOW_MS) - 3 < within <= 950 / ALONE_AFTER_MS + 2
    assert len(beside.work.slices) > 700, "nobody is in the way any more"


def test_without_traffic_nobody_has_to_wait() -> None:
    traffic = Traffic(SETTINGS)
    assert [traffic.ask("jobs", 5.0), traffic.ask("heal", 5.0)] == [SETTINGS.lower_batch_ms_max] * 2


def test_of_several_that_ask_it_is_the_turn_of_who_waits_longest() -> None:
    traffic, now_ms = Traffic(SETTINGS), 0.0
    kinds = ["gateway main", "updater", "argus", "jobs", "heal"]
    served: list[str] = []
    for _ in range(60):
        now_ms += 10
        traffic.turn(now_ms)
        traffic.saw(Lane.HIGH, now_ms)
        traffic.passed(now_ms)
        traffic.turn(now_ms)
        served += [kind for kind in kinds if traffic.ask(kind, now_ms)]
        traffic.passed(now_ms + LOW_MS)
    counts = [served.count(kind) for kind in kinds]
    assert max(counts) - min(counts) <= 1 and min(counts) > 10
    for _ in range(20):  # the others have nothing more to do
        now_ms += 10
        traffic.turn(now_ms)
        traffic.saw(Lane.HIGH, now_ms)
        traffic.passed(now_ms)
        traffic.turn(now_ms)
        served += ["jobs"] if traffic.ask("jobs", now_ms) else []
        traffic.passed(now_ms + LOW_MS)
    assert served[-8:] == ["jobs"] * 8


def test_before_anything_is_published_nobody_holds_anybody() -> None:
    traffic = Traffic(SETTINGS)
    traffic.calm = lambda: True
    traffic.saw(Lane.HIGH, 0.0)
    assert [traffic.ask("updater", 1.0), traffic.ask("jobs", 1.0)] == [FIRST_BUDGET_MS] * 2
