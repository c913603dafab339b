"""Which version of a signal is in which document: recorded, and found by an index."""

from argus.lineage import Lineage
from argus.used import Usage
from repo.system import signals_index
from tests.support.argus_world import World, gone, key_of, put
from tests.unit.argus.conftest import MakeWorld
from tests.unit.argus.signals.test_documents import FLOWS, ROWS, Scene
from tests.unit.argus.test_lineage import recorded


def lineage_of(world: World, ad: int) -> Lineage:
    with world.repo.snapshot() as snapshot:
        lineage, outline = recorded(snapshot, ad)
    assert outline.signals == ("performance",)
    return lineage


def with_version(world: World, version: int = 0) -> list[bytes]:
    usage = Usage(world.repo.snapshot(), world.application.flows, world.schemas)
    return [use.key for use in usage.of_signal("ad", "performance", version)]


def test_a_build_records_version_state_and_time_of_what_signals_said(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(100, 3, ctr=0.25)
    scene.world.edit(*ROWS)
    assert [(read.key, read.state, read.version) for read in lineage_of(scene.world, 100).signals] == [
        (100, "pending", 0)
    ]
    then = scene.world.repo.last_timestamp()
    scene.answer()
    (read,) = lineage_of(scene.world, 100).signals
    assert (read.key, read.state, read.version, read.fetched_ms) == (100, "fresh", 3, 5000.0) and read.is_used
    with scene.world.repo.snapshot_at(then) as snapshot:
        lineage, _ = recorded(snapshot, 100)
    assert [read.state for read in lineage.signals] == ["pending"], "as it was"


def test_documents_are_found_by_the_version_that_is_in_them(make_world: MakeWorld) -> None:
    scene = Scene(make_world)
    scene.say(100, 3, ctr=0.25)
    scene.say(101, 4, ctr=0.5)
    scene.world.edit(*ROWS)
    assert with_version(scene.world) == []
    scene.answer()
    assert (with_version(scene.world, 3), with_version(scene.world, 4)) == ([key_of(100)], [key_of(101)])
    scene.later(61)
    scene.say(100, 5, ctr=0.25)
    scene.world.edit(put("ads", id=100, group_id=10, title="Sandals"))
    scene.answer()
    assert with_version(scene.world, 3) == [] and with_version(scene.world, 5) == [key_of(100)]
    assert with_version(scene.world) == [key_of(101), key_of(100)]
    scene.world.edit(gone("ads", 101))
    assert with_version(scene.world) == [key_of(100)]
    assert lineage_of(scene.world, 101).signals == ()


def test_a_blocked_build_leaves_the_version_of_the_content_that_stays(make_world: MakeWorld) -> None:
    scene = Scene(make_world, FLOWS.replace("use_last", "block"))
    scene.say(100, 3, ctr=0.25)
    scene.world.edit(*ROWS)
    scene.answer()
    scene.later(61)
    scene.world.edit(put("ads", id=100, group_id=10, title="Sandals"))
    scene.fail()
    recorded_at = lineage_of(scene.world, 100).at
    scene.world.edit(put("ads", id=100, group_id=10, title="Clogs"))
    assert scene.record().blocked and with_version(scene.world, 3) == [key_of(100)]
    assert scene.record().used == (("performance", 3),) and lineage_of(scene.world, 100).at == recorded_at
    scene.say(100, 8, ctr=0.25)
    scene.later(2)
    scene.answer()
    with scene.world.repo.snapshot() as snapshot:
        (entries,) = snapshot.scan_prefixes(signals_index("ad"), [b""], 10)
    assert (with_version(scene.world, 8), len(entries)) == ([key_of(100)], 1)
