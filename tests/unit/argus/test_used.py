"""Which documents used something: as a look at every document would say, and without looking at every document."""

from random import Random

import pytest

from argus.api import field
from argus.used import Row, Usage
from proto.codec import encode_key
from proto.record import decode_build
from repo.system import BUILD, built_index, document_table
from tests.support.argus_world import SOURCE, World, gone, key_of, put
from tests.unit.argus.conftest import MakeWorld
from tests.unit.argus.test_lineage import FLOWS, FUNCTIONS, lengths, neighbour, pace, random_edit, recorded

HOUR_MS = 3_600_000.0


def ids(world: World, found: object) -> list[int]:
    return sorted(use.key for use in found)  # type: ignore[attr-defined]


def usage(world: World, since: int = 0, until: int = 2**64 - 1) -> Usage:
    return Usage(world.repo.snapshot(), world.application.flows, world.schemas, since, until)


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_a_look_at_every_document_finds(make_world: MakeWorld, seed: int) -> None:
    world, random = make_world(FLOWS, FUNCTIONS), Random(seed)
    for _ in range(40):
        world.edit(*(random_edit(random) for _ in range(3)))
        world.clock.ms += random.choice([1.0, HOUR_MS])
    documents = {}
    with world.repo.snapshot() as snapshot:
        for ad in range(3):
            if world.fields(ad) is not None:
                documents[key_of(ad)] = recorded(snapshot, ad)
        builds = dict(snapshot.scan(document_table("ad"), BUILD))
        (entries,) = snapshot.scan_prefixes(built_index("ad"), [b""], 100)
    assert sorted(document for _, document in entries) == sorted(documents), "one entry for each, none for the deleted"
    for table in ("ads", "groups", "campaigns", "words"):
        for key in (key_of(number) for number in range(10)):
            expected = {
                document: {
                    (group, version)
                    for place, rows in zip(outline.places, lineage.places, strict=True)
                    for row in rows
                    if (place.table, row.key) == (table, key)
                    for (group, _), version in zip(place.groups, row.versions, strict=True)
                }
                | {item for own in lineage.own if (own.table, own.key) == (table, key) for item in own.versions.items()}
                for document, (lineage, outline) in documents.items()
            }
            found = {use.key: set(use.row_versions.items()) for use in usage(world).of_row("ad", Row(table, key))}
            assert found == {document: versions for document, versions in expected.items() if versions}
            for version in {abs(version) for versions in expected.values() for _, version in versions}:
                one = {use.key for use in usage(world).of_row("ad", Row(table, key, version))}
                assert one == {
                    document for document, versions in expected.items() if version in {abs(at) for _, at in versions}
                }
    for built in [decode_build(version.value or b"").built_at for version in builds.values()]:
        window = [key for key in documents if decode_build(builds[key].value or b"").built_at >= built]
        assert ids(world, usage(world, since=built).in_window("ad")) == sorted(window)
        older = [key for key in documents if decode_build(builds[key].value or b"").built_at <= built]
        assert ids(world, usage(world, until=built).in_window("ad")) == sorted(older)


def test_a_row_s_documents_cost_no_look_at_the_others(world: World) -> None:
    world.edit(put("campaigns", id=1), put("campaigns", id=2), put("groups", id=1, campaign_id=1))
    world.edit(put("groups", id=2, campaign_id=2), *(put("ads", id=ad, group_id=1 + (ad == 0)) for ad in range(300)))
    reads, scans = world.repo.reads, world.repo.scans
    assert ids(world, usage(world).of_row("ad", Row("campaigns", key_of(2)))) == [key_of(0)]
    assert world.repo.reads - reads < 10 and world.repo.scans - scans < 10
    assert len(ids(world, usage(world).of_row("ad", Row("campaigns", key_of(1))))) == 299


def test_documents_of_a_deleted_row_and_of_one_that_never_was_are_found(world: World) -> None:
    world.edit(put("campaigns", id=1), put("groups", id=1, campaign_id=1), put("ads", id=1, group_id=1))
    world.edit(put("ads", id=2, group_id=77), gone("campaigns", 1))
    (use,) = usage(world).of_row("ad", Row("campaigns", key_of(1)))
    assert use.key == key_of(1) and use.row_versions["high"] < 0
    (use,) = usage(world).of_row("ad", Row("groups", key_of(77)))
    assert use.key == key_of(2) and use.row_versions == {"high": 0}


def test_versions_of_functions_tell_documents_apart_while_a_roll_out_goes_on(make_world: MakeWorld) -> None:
    world = make_world(FLOWS, FUNCTIONS)
    world.edit(*(put("ads", id=ad, group_id=None, title="x") for ad in range(3)))

    @field(inputs={"title": "title"}, version=4)
    def headline(title: str | None) -> str:
        return f"new {title}"

    newer = world.again(FLOWS, [headline, lengths, neighbour, pace], live=True)
    newer.edit(put("ads", id=1, group_id=None, title="y"))
    assert ids(newer, usage(newer).of_function("ad", "headline", 4)) == [key_of(1)]
    assert ids(newer, usage(newer).of_function("ad", "headline", 3)) == [key_of(0), key_of(2)]
    assert ids(newer, usage(newer).of_function("ad", "lengths", 1)) == [key_of(0), key_of(1), key_of(2)]
    assert usage(newer).functions("ad") == {"headline", "lengths", "neighbour", "pace"}
    newer.jobs.refresh("ad", 2)
    newer.settle()
    assert ids(newer, usage(newer).of_function("ad", "headline", 3)) == []
    assert len(ids(newer, usage(newer).of_function("ad", "headline"))) == 3


def test_a_handler_has_made_what_its_columns_are_in(make_world: MakeWorld) -> None:
    world = make_world(FLOWS, FUNCTIONS)
    world.edit(put("campaigns", id=1, budget=5), put("groups", id=1, campaign_id=1), put("groups", id=2))
    world.edit(put("ads", id=1, group_id=1), put("ads", id=2, group_id=2))
    assert ids(world, usage(world).of_function("ad", "pace")) == [key_of(1)]
    assert ids(world, usage(world).of_function("ad", "pace", 1)) == [key_of(1)]
    assert ids(world, usage(world).of_function("ad", "pace", 2)) == []


def test_most_builds_write_nothing_to_the_index(world: World) -> None:
    world.edit(put("ads", id=1, title="a"))
    world.clock.ms += 1.0
    before = world.repo.snapshot().change_marks([built_index("ad")])
    world.edit(put("ads", id=1, title="b"))
    assert world.repo.snapshot().change_marks([built_index("ad")]) == before
    world.clock.ms += HOUR_MS
    world.edit(put("ads", id=1, title="c"))
    assert world.repo.snapshot().change_marks([built_index("ad")]) != before
    assert [use.key for use in usage(world).in_window("ad")] == [encode_key((SOURCE, 1))]
