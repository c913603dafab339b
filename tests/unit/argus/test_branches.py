"""Branches are kept while nothing is committed to their tables, and never longer."""

from random import Random

from tests.support.argus_world import World, gone, put


def reads_of(world: World, title: str) -> int:
    """Storage calls of a build after an edit of the root row alone."""
    before = world.repo.reads
    world.edit(put("ads", id=1, group_id=10, title=title))
    return world.repo.reads - before


def test_a_kept_branch_costs_no_read(world: World) -> None:
    world.edit(put("campaigns", id=1, name="Spring"), put("groups", id=10, campaign_id=1, status="ON"))
    reads_of(world, "a")
    kept = reads_of(world, "b")
    world.edit(put("campaigns", id=2, name="of nobody"))
    assert reads_of(world, "c") > kept, "the table has changed"
    assert reads_of(world, "d") == kept


def test_every_change_behind_a_reference_is_seen_by_the_next_build(world: World) -> None:
    random = Random(5)
    world.edit(put("groups", id=10, campaign_id=1), put("ads", id=1, group_id=10))
    for number in range(40):
        if random.random() < 0.3:
            world.edit(gone("campaigns", 1))
            name = None
        else:
            name = f"n{number}"
            world.edit(put("campaigns", id=1, name=name))
        world.edit(put("ads", id=1, group_id=10, title=str(number)))
        fields, content = world.fields(1), world.content(1)
        assert fields is not None and (fields["campaign"], fields["title"]) == (name, str(number))
        assert content is not None and content.missing == (None if name else ["group.campaign"])
