"""Refresh by age, through the Low lane; rebuilds that ask ahead; what was owed when a service comes back."""

from typing import Any

from argus.api import Reading
from argus.signals.refresh import Refresh
from ops.engine.settings import EngineSettings
from ops.engine.traffic import Traffic
from ops.wiring.signal_work import SignalWork
from proto.flows.model import BreakerLimits, Signal
from tests.support.argus_world import World, put
from tests.support.shop import HandClock
from tests.support.signals import HandCaller
from tests.unit.argus.conftest import MakeWorld
from tests.unit.argus.signals.test_documents import FLOWS
from tests.unit.argus.signals.test_pull import Desk

ADS = range(100, 130)
ENGINE = EngineSettings()


class Scene:
    """A world of thirty ads, and the steps of its loop that have to do with signals and jobs."""

    def __init__(self, make_world: MakeWorld, flows: str = FLOWS, world: World | None = None) -> None:
        self.caller = HandCaller({"performance": {}})
        self.world = world or make_world(flows, caller=self.caller)
        self.caller.signals = self.world.application.flows.signals
        traffic = Traffic(ENGINE)
        self.work = SignalWork(self.world.parts, self.world.repo.last_timestamp, traffic, self.world.clock, ENGINE)

    def say(self, version: int, **values: Any) -> None:
        for key in ADS:
            self.caller.known["performance"][key] = Reading(values, version)

    def fill(self) -> None:
        """All ads are built, and their signals known."""
        self.world.edit(put("groups", id=10, status="ON"), *(put("ads", id=key, group_id=10) for key in ADS))
        while self.caller.asked():
            self.caller.answer()
            self.turn()

    def turn(self) -> None:
        with self.world.log.group():
            self.work.step()
        self.work.committed()

    def run(self, limit: int = 8) -> int:
        """Jobs, with a service that answers at once; how many documents were built."""
        counts = self.world.parts.builders["ad"].counts
        before, idle = counts.built, 0
        while idle < 3:
            worked = self.world.jobs.step(limit)
            idle = 0 if worked or self.caller.asked() else idle + 1
            self.caller.answer()
            self.turn()
        return counts.built - before

    def later(self, seconds: float) -> None:
        self.world.clock.ms += seconds * 1000.0
        self.turn()

    def state(self, ad: int = 100) -> str:
        record = self.world.build_record(ad)
        assert record is not None and record.signals
        return record.signals[0].state


def test_old_signals_are_asked_for_again_and_equal_values_publish_nothing(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(1, ctr=0.25)
    scene.fill()
    published, calls = scene.world.publications(), len(scene.caller.calls)
    scene.later(59)
    assert scene.run() == 0 and len(scene.caller.calls) == calls
    scene.later(7)
    assert scene.run() == len(ADS)
    assert len(scene.caller.calls) > calls and scene.world.publications() == published
    record = scene.world.build_record(100)
    assert record is not None and record.signals and record.signals[0].fetched_ms == scene.world.clock.ms
    scene.say(2, ctr=0.5)
    scene.later(66)
    assert scene.run() == len(ADS)
    assert {(scene.world.fields(key) or {})["ctr"] for key in ADS} == {0.5}
    assert scene.world.publications() > published


def test_the_job_is_bounded_and_begins_again_under_its_name(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(1, ctr=0.25)
    scene.fill()
    for _ in range(2):
        scene.later(66)
        (job,) = scene.world.jobs.running()
        assert (job.id, job.kind) == ("signals ad", "signals")
        built = scene.world.parts.builders["ad"].counts.built
        assert scene.world.jobs.step(8) == 0  # it has asked, and waits without moving
        assert scene.world.parts.builders["ad"].counts.built == built and scene.caller.asked()
        scene.caller.answer()
        scene.turn()
        assert scene.world.jobs.step(8) == 8 and scene.world.parts.builders["ad"].counts.built == built + 8
        scene.run()
        assert not scene.world.jobs.running()


def test_while_the_service_is_down_nothing_is_built_in_vain(make_world: MakeWorld) -> None:
    scene = Scene(make_world, FLOWS.replace('on_failure = "use_last"', "breaker = { failures = 1 }"))
    scene.say(1, ctr=0.25)
    scene.fill()
    scene.later(66)
    scene.world.jobs.step(8)
    scene.caller.fail()
    scene.turn()
    assert scene.run() == 0 and not scene.world.jobs.running()
    assert (scene.world.fields(100) or {})["ctr"] == 0.25


def test_under_omit_what_is_too_old_is_taken_out_once_when_it_can_not_be_had(make_world: MakeWorld) -> None:
    scene = Scene(make_world, FLOWS.replace('"use_last"', '"omit"\nbreaker = { failures = 1 }'))
    scene.say(1, ctr=0.25)
    scene.fill()
    scene.caller.known["performance"].clear()
    scene.later(66)
    assert scene.run() == len(ADS) and scene.state() == "failed"
    assert (scene.world.fields(100) or {})["ctr"] is None
    scene.later(0)
    scene.world.jobs.signals("ad")
    assert scene.run() == 0
    scene.say(2, ctr=0.5)
    scene.later(120)
    assert scene.run() == len(ADS) and (scene.world.fields(100) or {})["ctr"] == 0.5


def test_after_a_restart_what_an_outage_has_left_is_made_good(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.world.edit(put("groups", id=10, status="ON"), *(put("ads", id=key, group_id=10) for key in ADS))
    scene.caller.fail()
    scene.turn()
    assert (scene.world.fields(100) or {})["ctr"] is None
    caller = HandCaller({"performance": {key: Reading({"ctr": 0.25}, 1) for key in ADS}})
    other = World(scene.world.folder, FLOWS, live=True, environment=scene.world.environment, caller=caller)
    caller.signals = other.application.flows.signals
    again = Scene(make_world, world=other)
    again.caller = caller
    other.jobs.signals("ad")
    assert again.run() == len(ADS) and (other.fields(129) or {})["ctr"] == 0.25


def test_after_a_restart_a_version_does_not_go_back_either(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(5, ctr=0.5)
    scene.fill()
    caller = HandCaller({"performance": {}})
    other = World(scene.world.folder, FLOWS, live=True, environment=scene.world.environment, caller=caller)
    again = Scene(make_world, world=other)
    again.caller, caller.signals = caller, other.application.flows.signals
    for said, stored, ctr in ((2, 5, 0.5), (6, 6, 0.25)):
        again.say(said, ctr=0.25)
        again.later(70)
        other.jobs.signals("ad")
        again.run()
        record = other.build_record(100)
        assert record is not None and [one.version for one in record.signals or ()] == [stored]
        assert (other.fields(100) or {})["ctr"] == ctr


def test_after_a_restart_a_rebuild_believes_no_version_that_went_back(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(5, ctr=0.5)
    scene.fill()
    caller = HandCaller({"performance": {}})
    other = World(scene.world.folder, FLOWS, live=True, environment=scene.world.environment, caller=caller)
    again = Scene(make_world, world=other)
    again.caller, caller.signals = caller, other.application.flows.signals
    again.say(2, ctr=0.25)
    for later_s, calls in ((10, False), (70, True)):
        other.clock.ms += later_s * 1000.0
        other.jobs.refresh("ad", later_s)
        while other.jobs.step(8) or caller.asked():
            caller.answer()
            again.turn()
        record = other.build_record(100)
        assert record is not None and [one.version for one in record.signals or ()] == [5]
        assert (other.fields(100) or {})["ctr"] == 0.5
        assert bool(caller.calls) == calls, "what is fresh enough is not asked for"


def test_that_nothing_is_known_any_more_is_not_undone_by_what_a_document_was_built_with(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(5, ctr=0.5)
    scene.fill()
    for key in ADS:
        scene.caller.known["performance"][key] = None
    scene.later(66)
    assert scene.run() == len(ADS) and scene.state() == "absent"
    assert (scene.world.fields(100) or {})["ctr"] is None


def test_a_rebuild_asks_ahead_and_builds_each_document_once(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(1, ctr=0.25)
    scene.world.argus.live.clear()
    scene.world.edit(put("groups", id=10, status="ON"), *(put("ads", id=key, group_id=10) for key in ADS))
    scene.world.jobs.refresh("ad", 7)
    scene.world.argus.live.add("ad")
    assert scene.run() == len(ADS) and scene.state() == "fresh"
    assert sorted(key for call in scene.caller.calls for key in call.keys) == list(ADS)


def test_a_rebuild_goes_on_without_what_can_not_be_had(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.world.argus.live.clear()
    scene.world.edit(put("groups", id=10, status="ON"), *(put("ads", id=key, group_id=10) for key in ADS))
    scene.world.jobs.refresh("ad", 7)
    scene.world.argus.live.add("ad")
    assert scene.run() == len(ADS) and scene.state() == "failed"


class Begun:
    """A refresh over one signal, and the document types that it has begun."""

    def __init__(self, *, at_once: bool) -> None:
        self.desk = Desk(Signal("s", "m:f", "id", {"a": "int"}, 60.0, 30.0, breaker=BreakerLimits(failures=1)))
        self.names: list[str] = []
        self.clock: HandClock = self.desk.clock
        types = {"ad": [self.desk.pull], "plain": []}
        self.refresh = Refresh(types, self.names.append, self.clock, at_once=at_once)

    def after(self, seconds: float, live: str = "ad") -> int:
        self.clock.ms += seconds * 1000.0
        self.refresh.step({live})
        begun, self.names[:] = len(self.names), []
        return begun


def test_it_looks_ten_times_within_the_shortest_age() -> None:
    begun = Begun(at_once=False)
    assert [begun.after(1.0) for _ in range(7)] == [0, 0, 1, 0, 0, 1, 0]
    assert begun.refresh.due_ms() == begun.clock.ms + 2000.0


def test_after_a_restart_it_looks_at_once_when_the_type_is_live() -> None:
    begun = Begun(at_once=True)
    assert begun.after(0.0, live="other") == 0 and begun.refresh.due_ms() > begun.clock.ms
    assert begun.after(1.0) == 1


def test_documents_beyond_those_that_wait_are_looked_for_once_the_service_is_back() -> None:
    begun = Begun(at_once=False)
    begun.desk.pull.waiting.overflowed = True
    begun.desk.pull.breaker = begun.desk.pull.breaker.failed(begun.clock.ms)
    assert begun.after(0.1) == 0
    begun.desk.pull.breaker = begun.desk.pull.breaker.called().succeeded()
    assert begun.after(0.1) == 1 and begun.after(0.1) == 0
