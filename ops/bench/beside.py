"""Phase h: short trickles, alone and beside a refresh of all documents in the Low lane, alternating."""

from collections.abc import Callable, Iterator
from statistics import median

from ops.bench.phases import Phase, Seen, Trickle
from ops.wiring.process import Process

RUNS = 5
LOOK_MS = 20.0


class Settled:
    """A phase that only waits."""

    def __init__(self, title: str, settled: Callable[[], bool]) -> None:
        self.title, self.done = title, settled

    def start(self) -> None: ...

    def seen(self, version: Seen) -> None: ...


class Refresh:
    """Builds all documents again and again while `keep` is called. docs_per_s: what it built meanwhile."""

    def __init__(self, process: Process) -> None:
        assert process.built is not None
        self._parts, self._clock = process.built.parts, process.store.clock
        self._signature = 1
        self._looked_ms = 0.0
        self._began: tuple[float, int] | None = None
        self._built, self._elapsed_ms = 0, 0.0

    def keep(self) -> None:
        """Begins the next one when there is none."""
        now_ms = self._clock.monotonic_ms()
        self._began = self._began or (now_ms, self._documents())
        if now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            if self._parts.jobs.refresh("ad", self._signature):
                self._signature += 1

    def pause(self) -> None:
        """Counts what was built since `keep` was first called."""
        if self._began is not None:
            began_ms, before = self._began
            self._elapsed_ms += self._clock.monotonic_ms() - began_ms
            self._built += self._documents() - before
            self._began = None

    def idle(self) -> bool:
        """Whether the last one has ended."""
        return not self._parts.jobs.running()

    def docs_per_s(self) -> float:
        """Since the beginning, while it was kept."""
        return self._built / max(self._elapsed_ms, 1.0) * 1000

    def _documents(self) -> int:
        counts = self._parts.builders["ad"].counts
        return counts.built


class BesideRefresh:
    """p99_ms: what was measured so far, "alone" and "beside"."""

    def __init__(self, refresh: Refresh) -> None:
        self._refresh = refresh
        self.p99_ms: dict[str, list[float]] = {"alone": [], "beside": []}

    def runs(self, trickle: Callable[[str, int, Callable[[], None]], Trickle]) -> Iterator[Phase]:
        """trickle: makes one of a title and a seed, with something to call while it goes on.

        No two have the same seed: the same edits again would change nothing.
        """
        for number in range(RUNS):
            for at, (kind, beside) in enumerate((("alone", lambda: None), ("beside", self._refresh.keep))):
                run = trickle(f"h{number}{kind[0]} {kind} {number + 1} of {RUNS}", 2 * number + at, beside)
                yield run
                self._refresh.pause()
                yield Settled("", self._refresh.idle)
                self.p99_ms[kind].append(run.latency_ms()["p99"])

    def shift(self) -> float:
        """Median beside over median alone, less one."""
        alone = median(self.p99_ms["alone"])
        return round(median(self.p99_ms["beside"]) / alone - 1, 4) if alone else 0.0
