"""What oracles give out, judged as they answer: no timestamp twice, none beyond a successor's epoch, none behind the
time; nothing older than the age limit is committed, and nothing is refused for no reason."""

from collections.abc import Callable, Sequence

from repo.api import OutcomeKind
from repo.oracle.frames import BegunRange, Frame
from repo.oracle.port import CommitRequest, Decision
from repo.oracle.state_machine import NANOSECONDS_PER_MS


class Timestamps:
    """Of all oracles of a run. failures: what was wrong. age_ms_max: the oracles' own; by their clocks, and by
    `monotonic_ms`."""

    def __init__(self, failures: list[str], age_ms_max: int, monotonic_ms: Callable[[], float]) -> None:
        self._failures, self._age_ns = failures, age_ms_max * NANOSECONDS_PER_MS
        self._age_ms_max, self._monotonic_ms = age_ms_max, monotonic_ms
        self._given: set[int] = set()
        self._highest: dict[int, int] = {}  # epoch -> the highest that its oracle gave out
        self._open: dict[int, dict[int, float]] = {}  # epoch -> ids that it gave out, and did not decide -> when
        self._newest: dict[int, int] = {}  # epoch -> its newest commit
        self._now_ms: dict[int, float] = {}
        self._ceilings: dict[int, int] = {}

    def durable(self, epoch: int, ceiling: int) -> None:
        """The state chain has this ceiling of an oracle's."""
        self._ceilings[epoch] = ceiling

    def leads(self, epoch: int) -> None:
        """An oracle has taken over."""
        for other, highest in self._highest.items():
            if epoch == other or other < epoch <= highest:
                self._failures.append(f"epoch {epoch} begins, and the oracle of epoch {other} has given out {highest}")
        self._highest[epoch] = self._newest[epoch] = epoch
        self._open[epoch], self._now_ms[epoch] = {}, 0.0

    def begun(self, epoch: int, ranges: Sequence[BegunRange | None], now_ms: float, since_ms: float) -> None:
        """When it was asked: now_ms by its own clock, since_ms by `monotonic_ms`."""
        every = [begun for range in ranges if range is not None for begun in range.expanded()]
        self._now_ms[epoch] = max(self._now_ms[epoch], now_ms)
        self._gave(epoch, [id for id, _ in every], now_ms)
        self._open[epoch].update((id, since_ms) for id, _ in every)
        self._failures += [f"the id {id} is not above its snapshot {at}" for id, at in every if id <= at]

    def decided(self, epoch: int, frame: Frame, decisions: Sequence[Decision], now_ms: float, then_ms: float) -> None:
        """now_ms: when it began, then_ms: when it answered."""
        oldest = int(now_ms) * NANOSECONDS_PER_MS - self._age_ns
        self._now_ms[epoch] = max(self._now_ms[epoch], now_ms, then_ms)
        for request, decision in zip(frame.commits, decisions, strict=True):
            if decision.kind is OutcomeKind.TOO_OLD and self._is_fresh(epoch, request):
                self._failures.append(f"{request} is called too old for no reason")
            if decision.kind is OutcomeKind.COMMITTED:
                if request.id < oldest:
                    self._failures.append(f"{request.id} is committed, and too old: {oldest}")
                self._newest[epoch] = max(self._newest[epoch], decision.timestamp)
                self._gave(epoch, [decision.timestamp], now_ms)
            self._open[epoch].pop(request.id, None)
        for id in frame.settles:
            self._open[epoch].pop(id, None)

    def _is_fresh(self, epoch: int, request: CommitRequest) -> bool:
        """It was given out, was not asked about before, and knows of all commits: nobody may refuse it."""
        oldest = int(self._now_ms[epoch]) * NANOSECONDS_PER_MS - self._age_ns
        since_ms = self._open[epoch].get(request.id, -float("inf"))
        fresh = request.id >= oldest and self._monotonic_ms() - since_ms <= self._age_ms_max
        return fresh and self._newest[epoch] <= request.snapshot < request.id

    def _gave(self, epoch: int, timestamps: Sequence[int], now_ms: float) -> None:
        now, later = int(now_ms) * NANOSECONDS_PER_MS, [other for other in self._highest if other > epoch]
        for timestamp in timestamps:
            if timestamp in self._given:
                self._failures.append(f"the oracle of epoch {epoch} gives out {timestamp}, which was given out before")
            if timestamp < now:
                self._failures.append(f"the oracle of epoch {epoch} gives out {timestamp}, and its time is {now}")
            if timestamp >= self._ceilings[epoch]:
                self._failures.append(f"the oracle of epoch {epoch} gives out {timestamp}, above its durable ceiling")
            if later and timestamp >= min(later):
                self._failures.append(f"the oracle of epoch {epoch} gives out {timestamp}, as if nobody had followed")
            self._given.add(timestamp)
            self._highest[epoch] = max(self._highest[epoch], timestamp)
