"""A clock that tests move, a real log, and one stage with a processor that does as it is told."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ops.brokers.lmdb import LmdbLog
from ops.brokers.lmdb_dead_letters import LmdbDeadLetters
from ops.engine.consumer import Consumer
from ops.engine.lanes import Lanes
from ops.engine.loop import Loop
from ops.engine.passes import Pass
from ops.engine.positions import Positions
from ops.engine.settings import EngineSettings
from ops.engine.stage import Stage
from ops.engine.step import Step
from ops.engine.traffic import Traffic
from proto.lane import Lane
from proto.ports.processor import DONE, Item, Outcome
from repo.lmdb.environment import LmdbEnvironment

TOPICS = {lane: f"in.{lane.name.lower()}" for lane in Lane}


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.ms = 1000.0

    def now_ms(self) -> float:
        return self.ms

    def monotonic_ms(self) -> float:
        return self.ms


class ManualBell:
    """Sleeping moves the clock to the end of the timeout."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.timeouts_ms: list[float] = []

    def wait(self, timeout_ms: float) -> bool:
        self.timeouts_ms.append(timeout_ms)
        self.clock.ms += timeout_ms
        return False

    def wake(self) -> None: ...


class Script:
    """A processor: `rules` says what becomes of a value (an outcome, or an exception to raise); DONE is written out."""

    def __init__(self, log: LmdbLog, out: str = "out") -> None:
        self.rules: dict[bytes, Outcome | Exception | Callable[[Item], Outcome]] = {}
        self.batches: list[list[bytes]] = []
        self.attempts: list[tuple[bytes, int]] = []
        self._log, self._out = log, out

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        self.batches.append([item.value for item in batch])
        self.attempts += [(item.value, item.attempt) for item in batch]
        return [self._one(item) for item in batch]

    def _one(self, item: Item) -> Outcome:
        rule = self.rules.get(item.value, DONE)
        if callable(rule):
            rule = rule(item)
        if isinstance(rule, Exception):
            raise rule
        if rule is DONE:
            self._log.append(self._out, 0, [item.value])
        return rule


class Bench:
    """One data folder, one process: stages over a real log, and a loop that the test turns."""

    def __init__(self, folder: Path, settings: EngineSettings | None = None) -> None:
        self.clock = ManualClock()
        self.settings = settings or EngineSettings()
        self.environment = LmdbEnvironment(folder, self.clock, nonce=b"bench")
        self.log = LmdbLog(self.environment)
        self.letters = LmdbDeadLetters(self.environment)
        self.traffic = Traffic(self.settings)
        self.positions = Positions(self.log)
        self.script = Script(self.log)
        self.bell = ManualBell(self.clock)

    def stage(
        self, script: Script | None = None, *, ordered: bool = False, name: str = "c", topics: dict[Lane, str] = TOPICS,
        dropper: Script | None = None,
    ) -> Stage:  # fmt: skip
        consumer = Consumer(self.log, name, topics, self.settings, ordered=ordered)
        lanes, processor = Lanes("stage", self.traffic), script or self.script
        return Stage(
            "apply", processor, consumer, lanes, self.positions, self.letters, self.clock, self.settings,
            dropper=dropper,
        )  # fmt: skip

    def make_pass(self, *steps: Step, name: str = "pass") -> Pass:
        return Pass(name, steps, self.log, self.positions, self.clock, self.settings)

    def loop(self, *passes: Pass) -> Loop:
        return Loop(passes, self.positions, self.bell, self.traffic, self.clock, self.settings)

    def send(self, *values: bytes, lane: Lane = Lane.HIGH, partition: int = 0) -> None:
        self.log.append(TOPICS[lane], partition, values)

    def out(self, topic: str = "out") -> list[bytes]:
        return [message.value for message in self.log.read(topic, 0, 0, 10_000)]

    def position(self, lane: Lane = Lane.HIGH, name: str = "c") -> int:
        return self.log.position(name, TOPICS[lane], 0)

    def run_for(self, loop: Loop, ms: float, step_ms: float = 5.0) -> None:
        """Drains the loop, moves the clock, and so on."""
        until_ms = self.clock.ms + ms
        loop.drain()
        while self.clock.ms < until_ms:
            self.clock.ms += step_ms
            loop.drain()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.environment.close()


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Opens the folder again, as after a crash: what was only in memory is gone."""
    opened: list[Bench] = []

    def reopen(settings: EngineSettings | None = None) -> Bench:
        for bench in opened:
            bench.environment.close()
        opened.append(Bench(tmp_path, settings))
        return opened[-1]

    yield reopen
    for bench in opened:
        bench.environment.close()
