"""The engine's loop as a process of its own: wakes when another process commits, sleeps when nobody does."""

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from ops.brokers.lmdb import LmdbLog
from ops.brokers.lmdb_dead_letters import LmdbDeadLetters
from ops.engine.clock import SystemClock
from ops.engine.consumer import Consumer
from ops.engine.doorbell import Doorbell
from ops.engine.draining import draining
from ops.engine.lanes import Lanes
from ops.engine.liveness import Liveness
from ops.engine.loop import Loop, Periodic
from ops.engine.passes import Pass
from ops.engine.positions import Positions
from ops.engine.settings import EngineSettings
from ops.engine.stage import Stage
from ops.engine.step import FunctionStep
from ops.engine.traffic import Traffic
from proto.lane import Lane
from proto.ports.processor import DONE, Item, Outcome
from repo.lmdb.environment import LmdbEnvironment

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_spawn = multiprocessing.get_context("spawn")
_PATIENCE_S = 60.0


class Copy:
    """Copies each message to `out`."""

    def __init__(self, log: LmdbLog) -> None:
        self._log = log

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        self._log.append("out", 0, [item.value for item in batch])
        return [DONE] * len(batch)


class Opened:
    """A data folder, opened by one process."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.settings = SystemClock(), EngineSettings()
        self.environment = LmdbEnvironment(folder, self.clock, os.urandom(8))
        self.log = LmdbLog(self.environment)
        self.bell = Doorbell(folder)
        self.environment.on_commit.append(self.bell.ring)
        self.positions = Positions(self.log)
        self.traffic = Traffic(self.settings)
        self.liveness = Liveness(folder)

    def stage(self, name: str, topics: dict[Lane, str]) -> Stage:
        consumer = Consumer(self.log, name, topics, self.settings, ordered=False, claim=self.liveness.claim)
        letters = LmdbDeadLetters(self.environment)
        return Stage(
            "apply",
            Copy(self.log),
            consumer,
            Lanes("stage", self.traffic),
            self.positions,
            letters,
            self.clock,
            self.settings,
        )

    def made_pass(self, *steps: FunctionStep | Stage) -> Pass:
        return Pass("pass", steps, self.log, self.positions, self.clock, self.settings)

    def loop(self, passes: Sequence[Pass], periodic: Sequence[Periodic] = ()) -> Loop:
        return Loop(passes, self.positions, self.bell, self.traffic, self.clock, self.settings, periodic)


def copy_until_stopped(pipe: "Connection", folder: str) -> None:
    """Consumes `in` until SIGTERM; then says how often it slept."""
    opened = Opened(Path(folder))
    loop = opened.loop([opened.made_pass(opened.stage("c", {Lane.HIGH: "in"}))])
    with draining(loop.stop):
        pipe.send("ready")
        loop.run()
    pipe.send(loop.sleeps)


def started(target: object, *arguments: object) -> "tuple[Connection, multiprocessing.process.BaseProcess]":
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=target, args=(theirs, *arguments), daemon=True)  # type: ignore[arg-type]
    process.start()
    return ours, process


def told(pipe: "Connection") -> object:
    assert pipe.poll(_PATIENCE_S), "the other process says nothing"
    return pipe.recv()


def test_a_commit_wakes_another_process_and_sigterm_drains_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = Opened(tmp_path)
    pipe, process = started(copy_until_stopped, str(tmp_path))
    try:
        assert told(pipe) == "ready"
        waits_ms = []
        for number in range(200):
            began_ms = opened.clock.monotonic_ms()
            opened.log.append("in", 0, [b"%d" % number])
            appended_ms = opened.clock.monotonic_ms()
            while opened.log.bounds("out", 0)[1] <= number:
                assert opened.clock.monotonic_ms() - began_ms < _PATIENCE_S * 1e3
                opened.bell.wait(5)
            waits_ms.append(opened.clock.monotonic_ms() - appended_ms)
            time.sleep(0.002)  # so that the other one sleeps again
        assert process.pid is not None
        os.kill(process.pid, signal.SIGTERM)
        sleeps = told(pipe)
        assert isinstance(sleeps, int)
        # Rung each time: had it found the messages by its sweeps, they would have taken 20 s and as many sleeps.
        assert sleeps >= 200
        process.join(_PATIENCE_S)
        assert process.exitcode == 0
    finally:
        process.kill()
        process.join()
    assert opened.log.position("c", "in", 0) == 200
    assert [message.value for message in opened.log.read("out", 0, 0, 300)] == [b"%d" % number for number in range(200)]
    with capsys.disabled():
        waits_ms.sort()
        figures = f"p50 {median(waits_ms):.2f} ms, p99 {waits_ms[-2]:.2f} ms"
        print(f"\n  commit -> consumed and committed by another process, seen here: {figures}")


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    """Kill -9 in the middle of its work, five times: each message is copied at least once, and positions are right."""
    opened = Opened(tmp_path)
    sent = 0
    for _ in range(5):
        pipe, process = started(copy_until_stopped, str(tmp_path))
        try:
            assert told(pipe) == "ready"
            for _ in range(40):
                opened.log.append("in", 0, [b"%d" % number for number in range(sent, sent + 25)])
                sent += 25
        finally:
            process.kill()
            process.join()
    opened.loop([opened.made_pass(opened.stage("c", {Lane.HIGH: "in"}))]).drain()
    copied = [int(message.value) for message in opened.log.read("out", 0, 0, 10 * sent)]
    assert copied == list(range(sent))  # exactly once: positions ride with what was written
