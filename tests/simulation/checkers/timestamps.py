"""What oracles give out, judged as they answer: no timestamp twice, none beyond a successor's epoch, none behind the
time, and nothing is committed that is older than the age limit."""

from collections.abc import Iterator, Sequence

from repo.api import OutcomeKind
from repo.oracle.frames import BegunRange, Frame
from repo.oracle.port import Decision
from repo.oracle.state_machine import NANOSECONDS_PER_MS


class Timestamps:
    """Of all oracles of a run. failures: what was wrong. age_ms_max: the oracles' own."""

    def __init__(self, failures: list[str], age_ms_max: int) -> None:
        self._failures, self._age_ns = failures, age_ms_max * NANOSECONDS_PER_MS
        self._given: set[int] = set()
        self._highest: dict[int, int] = {}  # epoch -> the highest that its oracle gave out

    def leads(self, epoch: int) -> None:
        """An oracle has taken over."""
        for other, highest in self._highest.items():
            if epoch == other or other < epoch <= highest:
                self._failures.append(f"epoch {epoch} begins, and the oracle of epoch {other} has given out {highest}")
        self._highest.setdefault(epoch, epoch)

    def begun(self, epoch: int, ranges: Sequence[BegunRange | None], now_ms: float) -> None:
        """now_ms: of its own clock, when it was asked."""
        self._gave(epoch, (begun.id for range in ranges if range is not None for begun in range.expanded()), now_ms)

    def decided(self, epoch: int, frame: Frame, decisions: Sequence[Decision], now_ms: float) -> None:
        """As `begun`."""
        committed = [
            (request.id, decision.timestamp)
            for request, decision in zip(frame.commits, decisions, strict=True)
            if decision.kind is OutcomeKind.COMMITTED
        ]
        self._gave(epoch, (timestamp for _, timestamp in committed), now_ms)
        oldest = int(now_ms) * NANOSECONDS_PER_MS - self._age_ns
        self._failures += [f"{id} is committed, and too old: {oldest}" for id, _ in committed if id < oldest]

    def _gave(self, epoch: int, timestamps: Iterator[int], now_ms: float) -> None:
        now, later = int(now_ms) * NANOSECONDS_PER_MS, [other for other in self._highest if other > epoch]
        for timestamp in timestamps:
            if timestamp in self._given:
                self._failures.append(f"the oracle of epoch {epoch} gives out {timestamp}, which was given out before")
            if timestamp < now:
                self._failures.append(f"the oracle of epoch {epoch} gives out {timestamp}, and its time is {now}")
            if later and timestamp >= min(later):
                self._failures.append(f"the oracle of epoch {epoch} gives out {timestamp}, as if nobody had followed")
            self._given.add(timestamp)
            self._highest[epoch] = max(self._highest[epoch], timestamp)
