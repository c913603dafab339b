"""The engine's loop as a process of its own: wakes when another process commits, sleeps when nobody does."""

import multiprocessing
import os
import resource
import signal
import sqlite3
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
from ops.engine.file_watch import FileWatch
from ops.engine.lanes import Lanes, Traffic
from ops.engine.liveness import Liveness
from ops.engine.loop import Loop, Periodic
from ops.engine.pace import WATCHED_QUIET_MS, Pace
from ops.engine.passes import Pass
from ops.engine.positions import Positions
from ops.engine.settings import EngineSettings
from ops.engine.signals import draining
from ops.engine.stage import Stage
from ops.engine.status import StatusFile
from ops.engine.step import FunctionStep
from proto.lane import Lane
from proto.ports.processor import DONE, Item, Outcome
from repo.lmdb.environment import LmdbEnvironment

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_spawn = multiprocessing.get_context("spawn")
_PATIENCE_S = 30.0


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
            "apply", Copy(self.log), consumer, Lanes(self.traffic), self.positions, letters, self.clock, self.settings
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


def idle(pipe: "Connection", folder: str, seconds: float) -> None:
    """What an idle process of all roles does: watches and polls SQLite, looks at the topics, tells its status."""
    opened = Opened(Path(folder))
    database = sqlite3.connect(Path(folder) / "source.db")
    topics = {lane: f"in.{lane.name.lower()}" for lane in Lane}
    for topic in topics.values():
        opened.log.append(topic, 0, [b"x"])

    def poll(budget_ms: float) -> bool:
        database.execute("PRAGMA data_version").fetchone()
        return False

    pace = Pace(quiet_after_ms=0)
    watch = FileWatch.open(Path(folder) / "source.db", pace.stir)
    if watch is not None:
        pace = Pace(quiet_after_ms=0, quiet_ms=WATCHED_QUIET_MS)
        opened.bell.watch(watch)
    source = FunctionStep("source", poll, opened.clock, opened.settings, pace=pace)
    stages = [opened.stage(name, topics) for name in ("updater", "argus", "publisher")]
    passes = [opened.made_pass(source, stages[0]), opened.made_pass(*stages[1:])]
    status = StatusFile(Path(folder), "all", passes, opened.clock)
    loop = opened.loop(passes, [Periodic(status.write, 500.0)])
    loop.drain()
    used, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    signal.signal(signal.SIGALRM, lambda *_: loop.stop())
    signal.setitimer(signal.ITIMER_REAL, seconds)
    loop.run()
    after, elapsed_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    cpu_s = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    pipe.send((cpu_s / elapsed_s, loop.sleeps / elapsed_s))


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


@pytest.mark.alone
def test_an_idle_process_takes_less_than_one_percent_of_a_core(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = []
    for attempt in range(3):  # what else runs on the machine makes it dearer, never cheaper
        folder = tmp_path / str(attempt)
        folder.mkdir()
        pipe, process = started(idle, str(folder), 2.0)
        try:
            share, sleeps_per_s = told(pipe)  # type: ignore[misc]
        finally:
            process.kill()
            process.join()
        shares.append(share)
        assert sleeps_per_s < 300
        if share < 0.01:
            break
    with capsys.disabled():
        print(f"\n  idle: {min(shares):.2%} of a core, {sleeps_per_s:.0f} looks a second")
    assert min(shares) < 0.01


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
