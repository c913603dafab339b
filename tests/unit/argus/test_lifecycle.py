"""From an empty Repo to live documents, and from one generation to the next."""

from argus.api import Change, HandlerContext, handler
from argus.lifecycle import Lifecycle
from proto.lane import Lane
from tests.support.argus_world import ADS_FLOWS, SOURCE, World, put
from tests.unit.argus.conftest import MakeWorld

TABLES = ("ads", "groups", "campaigns", "ad_words", "words")
PACED = (
    ADS_FLOWS
    + 'pace = "group.campaign.pace"\n\n[tables.campaigns.derived]\npace = { type = "float", handler = "pace" }\n'
)


@handler(observes=["campaigns.budget"], version=1)
async def pace(ctx: HandlerContext, change: Change) -> None:
    row = await ctx.read(change.row)
    ctx.write(change.row, {"pace": row["budget"] / 10})


@handler(observes=["campaigns.budget"], version=2)
async def faster(ctx: HandlerContext, change: Change) -> None:
    row = await ctx.read(change.row)
    ctx.write(change.row, {"pace": row["budget"] / 5})


faster.__name__ = "pace"
faster.__adsindex__ = faster.__adsindex__.__class__(  # type: ignore[attr-defined]
    "pace", faster, faster.__adsindex__.observes, 2  # type: ignore[attr-defined]
)  # fmt: skip


def bootstrap(world: World, *tables: str) -> None:
    """The given tables are complete."""
    world.commit(kind="done", lane=Lane.LOW, names=tables)


def run(world: World, slice_rows: int = 100) -> None:
    """As the loop does: looks, slices, batches, until nothing is to be done."""
    while world.parts.lifecycle.step() or world.jobs.step(slice_rows) or world.deliver():
        pass


ROWS = (put("campaigns", id=1, name="C", budget=50), put("groups", id=1, campaign_id=1), put("ads", id=1, group_id=1))


def test_nothing_is_built_before_the_bootstrap_is_complete(make_world: MakeWorld) -> None:
    world = make_world(live=False)
    world.commit(*ROWS)
    bootstrap(world, *TABLES[:-1])
    run(world)
    assert world.fields(1) is None and not world.parts.lifecycle.settled and world.parts.lifecycle.first
    bootstrap(world, TABLES[-1])
    run(world)
    assert world.fields(1) is not None and world.parts.lifecycle.settled and not world.parts.lifecycle.first


def test_rows_of_the_first_bootstrap_are_built_though_nobody_told_of_them(make_world: MakeWorld) -> None:
    world = make_world(live=False)
    world.commit(*ROWS, kind="chunk", lane=Lane.LOW, first=True)
    assert world.notifications(Lane.HIGH) == world.notifications(Lane.LOW) == []
    bootstrap(world, *TABLES)
    run(world)
    assert world.fields(1) is not None


def test_handlers_come_before_documents(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace], live=False)
    world.commit(*ROWS, kind="chunk", lane=Lane.LOW, first=True)
    bootstrap(world, *TABLES)
    run(world)
    assert world.fields(1)["pace"] == 5.0  # type: ignore[index]
    assert world.parts.builders["ad"].counts.built == 1, "not once before and once after"


def test_a_change_during_the_refresh_is_built_after_a_crash(make_world: MakeWorld) -> None:
    """The refresh is at work when the process dies. What the next one gets before its first look is not lost."""
    world = make_world(live=False)
    world.commit(*(put("ads", id=at, title="old") for at in range(30)))
    bootstrap(world, *TABLES)
    world.deliver()
    while not world.jobs.step(10):
        world.parts.lifecycle.step()
    other = world.again()
    other.commit(put("ads", id=0, title="new"))
    other.deliver()
    run(other)
    assert other.fields(0)["title"] == "new" and other.fields(29)["title"] == "old"  # type: ignore[index]


def test_a_restart_with_the_same_flows_builds_nothing_again(make_world: MakeWorld) -> None:
    world = make_world(live=False)
    world.commit(*ROWS)
    bootstrap(world, *TABLES)
    run(world)
    other = world.again()
    assert other.argus.live
    run(other)
    assert other.parts.lifecycle.settled and other.parts.builders["ad"].counts.built == 0


def test_changed_flows_build_everything_again(make_world: MakeWorld) -> None:
    world = make_world(live=False)
    world.commit(*ROWS)
    bootstrap(world, *TABLES)
    run(world)
    other = world.again(ADS_FLOWS + 'note = "group.campaign.note"\n')
    run(other)
    assert other.fields(1) is not None and "note" in other.fields(1)  # type: ignore[operator]


def test_a_handler_of_another_version_runs_over_all_rows_and_so_does_the_one_that_comes_back(
    make_world: MakeWorld,
) -> None:
    world = make_world(PACED, [pace], live=False)
    world.commit(*ROWS)
    bootstrap(world, *TABLES)
    run(world)
    for function, expected in ((faster, 10.0), (pace, 5.0)):
        world = world.again(functions=[function])
        run(world)
        assert world.row("campaigns", "@pace", 1) == {"pace": expected}
        assert world.fields(1)["pace"] == expected  # type: ignore[index]


def test_an_added_source_is_waited_for_and_then_everything_is_refreshed(make_world: MakeWorld) -> None:
    world = make_world(live=False)
    world.commit(*ROWS)
    bootstrap(world, *TABLES)
    run(world)
    parts = world.parts
    reads = {"ad": frozenset(world.application.flows.tables)}
    wider = Lifecycle(
        world.repo, world.application, parts.argus, parts.jobs, {"document ad": 1}, reads, [SOURCE, "second"]
    )
    assert wider.step() is False and parts.argus.live, "what is there stays live"
    assert wider.states().keys() == {SOURCE, "second"}
