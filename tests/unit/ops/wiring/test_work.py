"""Slices of jobs in the loop: Low ones ask for their turn, fan-outs of edits are not held."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.engine.settings import EngineSettings
from ops.engine.traffic import ALONE_AFTER_MS, Traffic
from ops.wiring.work import DOCUMENTS_MIN, JobWork
from proto.lane import Lane
from tests.support.argus_world import World, put
from tests.unit.argus.test_jobs import refreshing

ADS = 40
NEVER = float("inf")


class Scene:
    """Forty ads and their jobs, beside edits."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.edit(*(put("ads", id=at, group_id=1) for at in range(ADS)))
        self.world.settle()
        self.world.parts.lifecycle.settled, self.world.parts.lifecycle.first = True, False
        self.traffic = Traffic(EngineSettings())
        self.work = JobWork(self.world.parts, self.traffic, self.world.clock, EngineSettings())
        self.work._document_ms = 1.0  # so that a slice beside edits is the smallest one

    def edit(self) -> None:
        """One has gone through the pass of edits."""
        now_ms = self.world.clock.ms
        self.traffic.turn(now_ms)
        self.traffic.saw(Lane.HIGH, now_ms)
        self.traffic.passed(now_ms)

    def turn(self) -> bool:
        """The next turn of the loop, in which there is no edit."""
        self.traffic.turn(self.world.clock.ms)
        with self.world.log.group():
            worked = self.work.step()
        self.work.committed()
        self.traffic.passed(self.world.clock.ms)
        return worked


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.world.close()


def test_a_low_job_gets_a_slice_behind_an_edit_and_none_before_the_next(scene: Scene) -> None:
    scene.edit()
    refreshing(scene.world, "refresh")
    assert not scene.turn() and not scene.work.took(), "whether edits come often is not known yet"
    assert scene.work.wake_ms() == NEVER, "or the loop would spin"
    scene.world.clock.ms += 10
    assert not scene.turn(), "the next edit may come at any moment"
    scene.edit()
    assert scene.turn() and scene.work.took()
    assert scene.world.parts.builders["ad"].counts.already == DOCUMENTS_MIN


def test_a_low_job_goes_on_when_no_edit_comes(scene: Scene) -> None:
    scene.edit()
    refreshing(scene.world, "refresh")
    assert not scene.turn()
    assert scene.traffic.due_ms() == scene.world.clock.ms + ALONE_AFTER_MS
    scene.world.clock.ms += ALONE_AFTER_MS
    assert scene.turn()


def test_a_fan_out_of_an_edit_asks_nobody(scene: Scene) -> None:
    scene.edit()
    refreshing(scene.world, "refresh")
    refreshing(scene.world, "fan-out", Lane.HIGH)
    slices = 0
    while scene.turn():
        slices += 1
    assert slices >= ADS // DOCUMENTS_MIN
    assert [job.id for job in scene.world.jobs.running()] == ["refresh"], "which waits"


def test_slices_of_a_fan_out_are_longer_than_those_of_low_work(scene: Scene) -> None:
    scene.work._document_ms = 0.1
    scene.edit()
    refreshing(scene.world, "fan-out", Lane.HIGH)
    assert scene.turn() and scene.world.parts.builders["ad"].counts.already == ADS
