"""Rows and children that are kept from batch to batch: never longer than they are true."""

import pytest

from tests.support.argus_world import World, gone, put


@pytest.fixture
def shared(world: World) -> World:
    world.edit(
        put("campaigns", id=1, name="old"),
        put("groups", id=1, campaign_id=1, status="ON"),
        put("ads", id=1, group_id=1),
        put("ads", id=2, group_id=1),
    )
    return world


def both_edited(world: World, title: str) -> tuple[int, int]:
    """Storage calls of a batch of two documents."""
    world.commit(put("ads", id=1, group_id=1, title=title), put("ads", id=2, group_id=1, title=title))
    before = world.repo.reads, world.repo.scans
    world.deliver()
    return world.repo.reads - before[0], world.repo.scans - before[1]


def test_parents_are_not_read_again_while_their_tables_stay_as_they_are(shared: World) -> None:
    both_edited(shared, "a")
    assert both_edited(shared, "b") == (3, 1), "build records, two groups of ads; the words of each ad"
    shared.edit(put("campaigns", id=1, name="new"))
    assert both_edited(shared, "c")[0] == 3
    assert [shared.fields(at)["campaign"] for at in (1, 2)] == ["new", "new"]  # type: ignore[index]


def test_a_row_that_came_or_went_is_seen(shared: World) -> None:
    both_edited(shared, "a")
    shared.commit(gone("campaigns", 1))
    both_edited(shared, "b")
    assert shared.fields(1)["campaign"] is None  # type: ignore[index]
    shared.commit(put("campaigns", id=1, name="back"))
    both_edited(shared, "c")
    assert shared.fields(1)["campaign"] == "back"  # type: ignore[index]


def test_what_an_undone_group_had_written_is_not_kept(shared: World) -> None:
    both_edited(shared, "a")
    with pytest.raises(KeyboardInterrupt), shared.log.group():
        shared.commit(put("campaigns", id=1, name="never was"))
        both_edited(shared, "b")
        assert shared.fields(1)["campaign"] == "never was"  # type: ignore[index]
        raise KeyboardInterrupt
    shared._position -= 2
    for offset in shared._offsets:
        shared._offsets[offset] = shared.log.bounds(f"notifications.{offset.name.lower()}", 0)[1]
    both_edited(shared, "c")
    assert shared.fields(1)["campaign"] == "old"  # type: ignore[index]
