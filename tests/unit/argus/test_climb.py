"""From changed rows up to documents: every hop, moves (N2), pages, frames that outlive a process."""

import pytest

from argus.climb import CALLS_MAX, Climber, Frame, Target, decode_frames, encode_frames, first_frames, targets
from argus.compile import compile_document
from proto.events import Cause
from proto.lane import Lane
from tests.support.argus_world import World, gone, key_of, put


def target_of(world: World, path: str) -> Target:
    compiled = compile_document(world.application, world.application.flows.documents["ad"])
    return next(target for target in targets("ad", compiled.plan) if target.path == path)


@pytest.fixture
def climber(world: World) -> Climber:
    return world.argus._climber


def climbed(world: World, climber: Climber, path: str, key: bytes, limit: int) -> list[list[bytes]]:
    """Steps until the end; frames go through their encoding each time."""
    target, pages = target_of(world, path), []
    frames = first_frames(target.hops, key, ())
    with world.repo.snapshot() as snapshot:
        while frames:
            pages.append(climber.climb(snapshot, target, frames, limit))
            frames = decode_frames(encode_frames(frames))
            assert len(pages) < 1000
    return pages


def test_a_change_far_up_reaches_every_document_once(world: World) -> None:
    world.edit(
        put("campaigns", id=1, name="old"),
        *(put("groups", id=at, campaign_id=1 + at % 2) for at in range(6)),
        *(put("ads", id=at, group_id=at % 6) for at in range(60)),
    )
    builder = world.parts.builders["ad"]
    built = builder.counts.built
    world.edit(put("campaigns", id=1, name="new"))
    assert builder.counts.built - built == 30
    named = [fields["campaign"] for at in range(60) if (fields := world.fields(at)) is not None]
    assert named == ["new" if at % 2 == 0 else None for at in range(60)]


def test_many_to_many_is_climbed_through_reference_and_collection(world: World) -> None:
    world.edit(
        *(put("ads", id=at) for at in range(4)),
        put("words", id=7, text="red"),
        *(put("ad_words", ad_id=at, word_id=7, position=1) for at in range(3)),
    )
    world.edit(put("words", id=7, text="crimson"))
    assert [world.fields(at)["words"] for at in range(4)] == [["crimson"], ["crimson"], ["crimson"], []]  # type: ignore[index]


def test_a_moved_child_brings_the_old_parent_up_to_date_too(world: World) -> None:
    """N2: the notification says where it was; at the new snapshot nothing leads there any more."""
    world.edit(put("ads", id=1), put("ads", id=2), put("words", id=7, text="red"))
    world.edit(put("ad_words", ad_id=1, word_id=7, position=1))
    world.edit(gone("ad_words", 1, 7), put("ad_words", ad_id=2, word_id=7, position=1))
    assert [world.fields(at)["words"] for at in (1, 2)] == [[], ["red"]]  # type: ignore[index]


def test_several_moves_in_one_batch_bring_every_parent_up_to_date(world: World) -> None:
    world.edit(*(put("groups", id=at, status=str(at)) for at in range(4)), put("ads", id=1, group_id=0))
    for group in (1, 2, 3):
        world.commit(put("ads", id=1, group_id=group))
    world.settle()
    assert world.fields(1)["status"] == "3"  # type: ignore[index]


@pytest.mark.parametrize("limit", [1, 7, 64, 1000])
def test_a_climb_in_steps_finds_all_and_nothing_twice(world: World, climber: Climber, limit: int) -> None:
    world.commit(
        put("campaigns", id=1),
        *(put("groups", id=at, campaign_id=1) for at in range(150)),
        *(put("ads", id=at, group_id=at % 150) for at in range(700)),
    )
    pages = climbed(world, climber, "group.campaign", key_of(1), limit)
    found = [key for page in pages for key in page]
    assert sorted(found) == sorted(map(key_of, range(700)))
    assert all(len(page) <= limit for page in pages)


def test_a_step_ends_after_some_calls_though_it_found_nothing(world: World, climber: Climber) -> None:
    world.commit(put("campaigns", id=1), *(put("groups", id=at, campaign_id=1) for at in range(3000)))
    target = target_of(world, "group.campaign")
    frames = [Frame(0, key_of(1))]
    with world.repo.snapshot() as snapshot:
        before = world.repo.scans
        assert climber.climb(snapshot, target, frames, 10) == []
    assert frames and world.repo.scans - before == CALLS_MAX
    assert climbed(world, climber, "group.campaign", key_of(1), 10)[-1] == []


def test_rows_of_a_batch_climb_together(world: World, climber: Climber) -> None:
    world.commit(
        *(put("campaigns", id=at) for at in range(20)),
        *(put("groups", id=at, campaign_id=at % 20) for at in range(40)),
        *(put("ads", id=at, group_id=at % 40) for at in range(80)),
    )
    target = target_of(world, "group.campaign")
    starts = [first_frames(target.hops, key_of(at), ()) for at in range(20)]
    with world.repo.snapshot() as snapshot:
        before = world.repo.scans
        reached = climber.reach(snapshot, target, starts, most=10)
    assert world.repo.scans - before == 2
    assert [sorted(found or ()) for found in reached] == [
        sorted(key_of(ad) for ad in range(80) if ad % 40 % 20 == at) for at in range(20)
    ]


def test_more_than_the_bound_is_said_and_not_cut(world: World, climber: Climber) -> None:
    world.commit(
        *(put("groups", id=at, campaign_id=at) for at in range(3)),
        *(put("ads", id=at, group_id=min(at, 2)) for at in range(20)),
    )
    target = target_of(world, "group.campaign")
    starts = [first_frames(target.hops, key_of(at), ()) for at in range(3)]
    with world.repo.snapshot() as snapshot:
        assert climber.reach(snapshot, target, starts, most=17) == [[key_of(0)], [key_of(1)], None]
        assert climber.reach(snapshot, target, starts, most=18)[2] is not None


def test_the_cause_of_a_spread_stays_with_its_documents(world: World) -> None:
    world.edit(put("groups", id=1), put("ads", id=1, group_id=1))
    change = world.commit(put("groups", id=1, status="ON"), commit_ms=12.0)
    world.settle()
    record = world.build_record(1)
    assert record is not None and record.built_at >= change
    *_, delta = world.publish()
    assert (delta.lane, delta.commit_ms) == (Lane.HIGH, 12.0)
    assert world.parts.builders["ad"].build({key_of(1): Cause(change, Lane.HIGH)}) == set()
