"""Documents and their signals: built without waiting, built again when the answer comes, blocked, restarted."""

from typing import Any

import pytest

from argus.api import HandlerContext, Reading, field
from argus.testing import HandlerEnvironment
from ops.engine.settings import EngineSettings
from ops.engine.traffic import Traffic
from ops.wiring.signal_work import SignalWork
from proto.errors import FlowsError, InvalidMessageError
from proto.flows.loader import loads
from proto.lane import Lane
from proto.record import BuildRecord
from tests.support.argus_world import ADS_FLOWS, World, gone, put
from tests.support.functions import module_of
from tests.support.signals import HandCaller
from tests.unit.argus.conftest import MakeWorld

SIGNALS = """
[signals.performance]
fetch = "http://127.0.0.1:1/performance"
key = "id"
fields = { ctr = "float", cost = "decimal" }
max_age_s = 60
on_failure = "use_last"

[signals.safety]
fetch = "http://127.0.0.1:1/safety"
key = "group.campaign_id"
fields = { is_safe = "bool" }
max_age_s = 600
"""
FLOWS = f"{SIGNALS}{ADS_FLOWS}" + 'ctr = "signals.performance.ctr"\ncost = "signals.performance.cost"\n'

ENGINE = EngineSettings()

ROWS = (
    put("campaigns", id=1, name="Spring", budget=500),
    put("groups", id=10, campaign_id=1, status="ON"),
    put("ads", id=100, group_id=10, title="Shoes"),
    put("ads", id=101, group_id=10, title="Boots"),
)


class Scene:
    """A world with a service that the test leads."""

    def __init__(self, make_world: MakeWorld, flows: str = FLOWS, *functions: Any) -> None:
        self.caller = HandCaller({"performance": {}, "safety": {}})
        self.world: World = make_world(flows, functions, caller=self.caller)
        self.caller.signals = self.world.application.flows.signals
        self.work = self.new_work(self.world)

    def new_work(self, world: World) -> SignalWork:
        return SignalWork(world.parts, world.repo.last_timestamp, Traffic(ENGINE), world.clock, ENGINE)

    def say(self, key: int, version: int = 1, signal: str = "performance", **values: Any) -> None:
        self.caller.known[signal][key] = Reading(values, version)

    def answer(self) -> None:
        self.caller.answer()
        self.turn()

    def fail(self) -> None:
        self.caller.fail()
        self.turn()

    def turn(self) -> None:
        with self.world.log.group():
            self.work.step()
        self.work.committed()

    def later(self, seconds: float) -> None:
        self.world.clock.ms += seconds * 1000.0
        self.turn()

    def record(self, ad: int = 100) -> BuildRecord:
        found = self.world.build_record(ad)
        assert found is not None
        return found

    def states(self, ad: int = 100) -> list[str]:
        return [reading.state for reading in self.record(ad).signals or ()]

    def values(self, *names: str, ad: int = 100) -> list[Any]:
        fields = self.world.fields(ad)
        assert fields is not None
        return [fields[name] for name in names]


def test_an_edit_is_built_at_once_and_again_when_the_answer_comes(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(100, 3, ctr=0.25, cost="1.50")
    scene.world.edit(*ROWS)
    assert scene.values("title", "ctr") == ["Shoes", None] and scene.states() == ["pending"]
    assert sorted(scene.caller.asked()) == [100, 101] and len(scene.caller.calls) == 1
    scene.caller.known["performance"][101] = None
    scene.answer()
    assert scene.values("ctr", "cost") == [0.25, "1.50"] and scene.values("ctr", ad=101) == [None]
    assert (scene.states(), scene.states(101)) == (["fresh"], ["absent"])
    (reading,) = scene.record().signals or ()
    assert (reading.signal, reading.key, reading.version, reading.fetched_ms) == ("performance", 100, 3, 5000.0)
    assert scene.world.parts.pulls.is_quiet()


def test_an_edit_whose_signals_are_known_asks_nobody_and_publishes_once(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(100, ctr=0.25)
    scene.say(101, ctr=0.5)
    scene.world.edit(*ROWS)
    scene.answer()
    published, calls = scene.world.publications(), len(scene.caller.calls)
    scene.world.edit(put("ads", id=100, group_id=10, title="Sandals"))
    scene.turn()
    assert scene.values("title", "ctr") == ["Sandals", 0.25]
    assert (scene.world.publications(), len(scene.caller.calls)) == (published + 1, calls)


def test_a_signal_that_says_the_same_again_publishes_nothing(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(100, 1, ctr=0.25)
    scene.say(101, ctr=0.5)
    scene.world.edit(*ROWS)
    scene.answer()
    scene.later(61)
    published, before = scene.world.publications(), scene.record()
    scene.say(100, 2, ctr=0.25)
    scene.world.edit(put("ads", id=100, group_id=10, title="Shoes", score=0.1))
    assert scene.states() == ["last_good"] and scene.world.publications() == published + 1
    hashed = scene.record().content_hash
    scene.answer()
    after = scene.record()
    assert scene.states() == ["fresh"] and after.built_at > before.built_at
    assert scene.world.publications() == published + 1 and after.content_hash == hashed


def test_whole_signals_and_their_fields_are_inputs_of_functions(make_world: MakeWorld) -> None:
    @field(inputs={"performance": "signals.performance", "safe": "signals.safety.is_safe"}, version=1, document="ad")
    def verdict(performance: dict[str, Any] | None, safe: bool | None) -> str:
        return f"{performance and performance['cost'] + 1} {safe}"

    @field(inputs={"performance": "signals.performance"}, version=1, document="ad")
    async def seen(ctx: HandlerContext, performance: dict[str, Any] | None) -> bool:
        return performance is not None

    scene = Scene(make_world, FLOWS, verdict, seen)
    scene.world.edit(*ROWS)
    assert scene.values("verdict", "seen") == ["None None", False]
    scene.say(100, cost="1.50")
    scene.say(1, signal="safety", is_safe=True)
    scene.answer()
    assert scene.values("verdict", "seen") == ["2.50 True", True]
    assert [reading.key for reading in scene.record().signals or ()] == [100, 1]


def test_a_condition_may_name_a_signal(make_world: MakeWorld) -> None:
    scene = Scene(make_world, FLOWS.replace("group.status = 'ON'", "signals.safety.is_safe"))
    scene.world.edit(*ROWS)
    content = scene.world.content(100)
    assert content is not None and not content.servable
    scene.say(1, signal="safety", is_safe=True)
    scene.answer()
    content = scene.world.content(100)
    assert content is not None and content.servable


def test_another_key_is_another_reading(make_world: MakeWorld) -> None:
    flows = FLOWS.replace('key = "id"\nfields = { ctr', 'key = "group_id"\nfields = { ctr')
    scene = Scene(make_world, flows)
    scene.say(10, ctr=0.1)
    scene.say(11, ctr=0.2)
    scene.world.edit(*ROWS)
    scene.answer()
    scene.world.edit(put("ads", id=100, group_id=11, title="Shoes"))
    assert scene.values("ctr") == [None] and scene.states() == ["pending"]
    scene.answer()
    assert scene.values("ctr") == [0.2]
    scene.world.edit(put("ads", id=100, title="Shoes"))
    assert scene.values("ctr") == [None] and scene.states() == ["absent"]


def test_a_blocked_document_keeps_its_last_content_and_says_why(make_world: MakeWorld) -> None:
    scene = Scene(make_world, FLOWS.replace("use_last", "block"))
    scene.world.edit(*ROWS)
    assert scene.world.fields(100) is None and scene.record().blocked == "signal_missing performance"
    scene.say(100, ctr=0.25)
    scene.answer()
    assert scene.values("title", "ctr") == ["Shoes", 0.25] and scene.record().blocked == ""
    built_at = scene.record().built_at
    scene.later(61)
    scene.world.edit(put("ads", id=100, group_id=10, title="Sandals"))
    assert scene.values("title", "ctr") == ["Sandals", 0.25]  # an answer is to be expected
    scene.fail()
    scene.world.edit(put("ads", id=100, group_id=10, title="Clogs"))
    record = scene.record()
    assert scene.values("title", "ctr") == ["Sandals", 0.25]
    assert (record.blocked, scene.states(), record.built_at > built_at) == (
        "signal_stale performance",
        ["failed"],
        True,
    )
    assert scene.world.parts.builders["ad"].counts.blocked
    scene.later(2)
    scene.answer()
    assert scene.values("title", "ctr") == ["Clogs", 0.25] and scene.record().blocked == ""


def test_a_deleted_document_is_never_blocked(make_world: MakeWorld) -> None:
    scene = Scene(make_world, FLOWS.replace("use_last", "block"))
    scene.say(100, ctr=0.25)
    scene.world.edit(*ROWS)
    scene.answer()
    scene.world.edit(gone("ads", 100))
    content = scene.world.content(100)
    assert content is not None and content.values is None and scene.record().signals is None


def test_after_a_restart_documents_go_on_with_what_they_were_built_with(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(100, 4, ctr=0.25)
    scene.world.edit(*ROWS)
    scene.answer()
    other = scene.world.again(live=True)
    other.edit(put("ads", id=100, group_id=10, title="Sandals"))
    assert (other.fields(100) or {})["ctr"] == 0.25
    record = other.build_record(100)
    assert record is not None and [(one.state, one.version) for one in record.signals or ()] == [("fresh", 4)]
    other.clock.ms += 61_000.0
    other.edit(put("ads", id=100, group_id=10, title="Clogs"))  # and nobody fetches here
    record = other.build_record(100)
    assert (other.fields(100) or {})["ctr"] == 0.25
    assert record is not None and [(one.state, one.version) for one in record.signals or ()] == [("last_good", 4)]


def test_a_rebuild_that_is_undone_is_made_again(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(100, ctr=0.25)
    scene.world.edit(*ROWS)
    scene.caller.answer()
    with pytest.raises(ZeroDivisionError), scene.world.log.group():
        scene.work.step()
        raise ZeroDivisionError
    scene.work.undone()
    assert scene.values("ctr") == [None]
    scene.turn()
    assert scene.values("ctr") == [0.25]


def test_the_lane_of_the_change_is_that_of_the_second_build(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.world.commit(*ROWS, lane=Lane.LOW)
    scene.world.settle()
    scene.say(100, ctr=0.25)
    scene.world.publish()
    scene.answer()
    assert [delta.lane for delta in scene.world.publish()] == [Lane.HIGH]  # the columns' own lane, however they came


def test_the_test_kit_fakes_signals_by_a_dict() -> None:
    environment = HandlerEnvironment(loads(FLOWS), signals={"performance": {100: {"ctr": 0.25}}})
    environment.put("ads", id=100).put("ads", id=101)
    assert environment.document("ad", 100).fields["ctr"] == 0.25
    assert environment.document("ad", 101).fields["ctr"] is None
    with pytest.raises(InvalidMessageError, match="there is no signal 'perf'"):
        HandlerEnvironment(loads(FLOWS), signals={"perf": {}})
    with pytest.raises(InvalidMessageError, match="signal 'performance' has no field 'cto': did you mean 'ctr'"):
        HandlerEnvironment(loads(FLOWS), signals={"performance": {1: {"cto": 1}}})
    with pytest.raises(InvalidMessageError, match="field 'ctr': 'x'"):
        HandlerEnvironment(loads(FLOWS), signals={"performance": {1: {"ctr": "x"}}})


def test_a_fetcher_that_is_not_there_is_told_with_its_line() -> None:
    def performance(keys: Any) -> Any: ...

    module = module_of(performance, name="shop_signals")
    flows = FLOWS.replace("http://127.0.0.1:1/performance", "shop_signals:performance")
    assert HandlerEnvironment(loads(flows), module)
    with pytest.raises(FlowsError, match="has no function 'performanc'") as raised:
        HandlerEnvironment(loads(flows.replace(":performance", ":performanc")), module)
    assert raised.value.line == 2 and raised.value.hint == "did you mean 'performance'?"
    with pytest.raises(FlowsError, match="No module named 'shop_signals'"):
        HandlerEnvironment(loads(flows))
