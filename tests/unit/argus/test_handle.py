"""Handlers: gathered reads, own writes, acknowledgements, conflicts, failures, notifications."""

from collections.abc import Sequence
from typing import Any

import pytest

from argus.api import Change, HandlerContext, handler
from argus.calls import Call, Pending
from argus.context import row_of
from proto.errors import UnavailableError
from proto.events import Cause
from proto.lane import Lane
from proto.ports.processor import DONE, Retry
from repo.api import Outcome, OutcomeKind, Transaction
from tests.support.argus_world import ADS_FLOWS, World, gone, key_of, put
from tests.unit.argus.conftest import MakeWorld

PACED = (
    ADS_FLOWS
    + """
pace = "group.campaign.pace"

[tables.campaigns.derived]
pace = { type = "float", handler = "pace", lane = "medium" }
state = { type = "str", handler = "pace", lane = "high" }
"""
)

TOTALS_TABLE = """
[tables.totals]
key = "id"
handler = "add_up"
columns = { id = "int", ads = "int", score = "float" }

[tables.words]"""

OF_GROUPS = """campaign = "campaign_id -> campaigns", totals = "id -> totals" }
collections = { ads = "ads.group_id" }"""

TOTALS = (
    ADS_FLOWS.replace("[tables.words]", TOTALS_TABLE).replace('campaign = "campaign_id -> campaigns" }', OF_GROUPS)
    + 'ads_of_group = "group.totals.ads"\n'
)


@handler(observes=["campaigns.budget"], version=1)
async def pace(ctx: HandlerContext, change: Change) -> None:
    """A tenth of the budget."""
    row = await ctx.read(change.row)
    if row is None:
        ctx.delete(change.row)
        return
    if row["budget"] is not None and row["budget"] < 0:
        raise ValueError("negative budget")
    ctx.write(
        change.row, {"pace": (row["budget"] or 0) / 10, "state": "slow" if (row["budget"] or 0) < 100 else "fast"}
    )


@handler(observes=["ads.group_id", "ads.score"], version=1)
async def add_up(ctx: HandlerContext, change: Change) -> None:
    """Counts the ads of a group, and of the groups that the ad has left."""
    ad = await ctx.read(change.row)
    groups = {row for row in change.left if row.table == "groups"}
    if ad is not None and ad["group_id"] is not None:
        groups.add(ctx.row("groups", ad["group_id"]))
    for group in sorted(groups):
        ads = await ctx.collection(group, "ads")
        total = ctx.row("totals", *group.key)
        if ads:
            ctx.write(total, {"ads": len(ads), "score": sum(row["score"] or 0 for row in ads)})
        else:
            ctx.delete(total)


def call(world: World, table: str, *key: Any, name: str = "pace") -> dict[Call, Pending]:
    cause = Cause(world.repo.last_timestamp(), Lane.HIGH)
    return {Call(name, row_of(table, key_of(*key))): Pending(cause)}


def test_what_a_handler_writes_reaches_the_document(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.edit(put("campaigns", id=1, budget=50), put("groups", id=1, campaign_id=1), put("ads", id=1, group_id=1))
    assert world.row("campaigns", "@pace", 1) == {"pace": 5.0, "state": "slow"}
    assert world.fields(1)["pace"] == 5.0  # type: ignore[index]
    world.edit(gone("campaigns", 1))
    assert world.row("campaigns", "@pace", 1) is None
    assert world.fields(1)["pace"] is None  # type: ignore[index]


def test_a_replay_runs_nothing(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.commit(put("campaigns", id=1, budget=50))
    items = world.items(Lane.HIGH)
    world.argus.process(items)
    runs, commits = world.handlers.runs, world.repo.commits
    assert world.argus.process(items) == [DONE]
    assert (world.handlers.runs, world.repo.commits) == (runs, commits)


def test_equal_values_write_nothing_but_the_acknowledgement(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.edit(put("campaigns", id=1, budget=50))
    world.commit(put("campaigns", id=1, budget=51, note="x"))
    world.commit(put("campaigns", id=1, budget=50, note="x"))
    world.deliver()
    assert world.notifications(Lane.MEDIUM) == [] and world.notifications(Lane.HIGH) == []
    with world.repo.snapshot() as snapshot:
        assert len(snapshot.history("campaigns", "@pace", key_of(1))) == 1


def test_notifications_name_what_changed_in_the_lane_of_those_columns(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.edit(put("campaigns", id=1, budget=50))
    world.commit(put("campaigns", id=1, budget=60))
    world.argus.process(world.items(Lane.HIGH))
    (slower,) = world.notifications(Lane.MEDIUM)
    assert [(change.table, change.columns) for change in slower.changes] == [("campaigns", ("pace",))]
    world.commit(put("campaigns", id=1, budget=600))
    world.argus.process(world.items(Lane.HIGH))
    (both,) = world.notifications(Lane.HIGH)
    assert both.changes[0].columns == ("pace", "state")


def test_the_first_values_of_a_row_are_told_by_column_too(make_world: MakeWorld) -> None:
    """The row is not new: whoever reads its other columns has nothing to do."""
    world = make_world(PACED, [pace])
    world.commit(put("campaigns", id=1, budget=60))
    world.argus.process(world.items(Lane.HIGH))
    (told,) = world.notifications(Lane.HIGH)
    assert told.changes[0].columns == ("pace", "state")


def test_what_a_refresh_changes_stays_in_the_low_lane(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.commit(put("campaigns", id=1, budget=600))
    world.items(Lane.HIGH)
    calls = {call: Pending(Cause(world.repo.last_timestamp(), Lane.LOW)) for call in call(world, "campaigns", 1)}
    assert world.handlers.run(calls) == set()
    assert len(world.notifications(Lane.LOW)) == 1 and world.notifications(Lane.HIGH) == []


def test_a_handler_that_raises_becomes_a_dead_letter_and_the_others_go_on(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.edit(put("campaigns", id=1, budget=-5), put("campaigns", id=2, budget=20))
    letter = world.letter("handle", "pace campaigns/1")
    assert letter is not None and letter.reason == "ValueError: negative budget"
    assert world.row("campaigns", "@pace", 2) == {"pace": 2.0, "state": "slow"}
    assert world.row("campaigns", "@pace", 1) is None
    world.edit(put("campaigns", id=1, budget=5))
    assert world.letters.count() == 0


def test_a_replayed_letter_runs_the_handler_again(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.edit(put("campaigns", id=1, budget=-5))
    letter = world.letter("handle", "pace campaigns/1")
    assert letter is not None
    runs = world.handlers.runs
    world.log.append(letter.topic, letter.partition, [letter.message])
    world.settle()
    assert world.handlers.runs == runs + 1, "it was never acknowledged"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda ctx, change: ctx.write(change.row, {"pase": 1}), "no column 'pase': did you mean 'pace'?"),
        (lambda ctx, change: ctx.write(change.row, {"name": "x"}), "campaigns.name is written by the source"),
        (lambda ctx, change: ctx.write(change.row, {"pace": "quick"}), "column campaigns.pace: 'quick'"),
        (lambda ctx, change: ctx.delete(ctx.row("words", 1)), "has no column in table 'words'"),
        (lambda ctx, change: ctx.row("campains", 1), "no table 'campains': did you mean 'campaigns'?"),
        (lambda ctx, change: ctx.row("campaigns", 1, 2), "the key of 'campaigns' is ('id',)"),
        (lambda ctx, change: ctx.read("campaigns/1"), "is not the address of a row"),
        (lambda ctx, change: ctx.collection(change.row, "ads"), "has no collection 'ads'"),
        (lambda ctx, change: ctx.row("campaigns", "one"), "is not a 64-bit integer"),
    ],
)
def test_mistakes_are_told_with_what_there_is_instead(make_world: MakeWorld, body: Any, reason: str) -> None:
    @handler(observes=["campaigns.budget"], version=1)
    async def pace(ctx: HandlerContext, change: Change) -> None:
        body(ctx, change)

    world = make_world(PACED, [pace])
    world.edit(put("campaigns", id=1, budget=5))
    letter = world.letter("handle", "pace campaigns/1")
    assert letter is not None and reason in letter.reason


def test_reads_of_a_batch_are_gathered(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])

    def reads_for(count: int) -> int:
        calls: dict[Call, Pending] = {}
        world.commit(*(put("campaigns", id=at, budget=count + at) for at in range(count)))
        for at in range(count):
            calls |= call(world, "campaigns", at)
        before = world.repo.reads
        assert world.handlers.run(calls) == set()
        return world.repo.reads - before

    assert reads_for(1) == reads_for(200)


def test_handlers_of_one_batch_that_write_one_row_do_not_overwrite_each_other(make_world: MakeWorld) -> None:
    world = make_world(TOTALS, [add_up])
    world.commit(put("groups", id=1), *(put("ads", id=at, group_id=1, score=1.0) for at in range(60)))
    assert world.deliver().count(DONE) > 0
    world.settle()
    assert world.row("totals", "@add_up", 1) == {"id": 1, "ads": 60, "score": 60.0}
    assert world.handlers.runs <= 2 * 60 + 2, "each at most twice, the score's change of lane aside"
    assert world.fields(5)["ads_of_group"] == 60  # type: ignore[index]


def test_a_parent_that_a_row_left_can_be_brought_up_to_date(make_world: MakeWorld) -> None:
    world = make_world(TOTALS, [add_up])
    world.edit(put("groups", id=1), put("groups", id=2), put("ads", id=1, group_id=1), put("ads", id=2, group_id=1))
    world.edit(put("ads", id=1, group_id=2))
    assert [world.row("totals", "@add_up", at)["ads"] for at in (1, 2)] == [1, 1]  # type: ignore[index]
    world.edit(gone("ads", 1))
    assert world.row("totals", "@add_up", 2) is None


def test_somebody_else_s_commit_in_between_runs_the_handler_again(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    world.commit(put("campaigns", id=1, budget=50))
    items = world.items(Lane.HIGH)
    world.repo.before_commit = lambda: world.handlers.run(call(world, "campaigns", 1))
    assert world.argus.process(items) == [DONE]
    assert world.handlers.runs == 2, "the second found the acknowledgement of the first"


@pytest.mark.parametrize("committed", [True, False])
def test_a_handler_does_not_run_again_before_it_is_known_what_became_of_its_commit(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    world = make_world(PACED, [pace])
    world.commit(put("campaigns", id=1, budget=50))
    calls, repo = call(world, "campaigns", 1), world.repo
    lost: list[Transaction] = []
    told = Outcome(OutcomeKind.UNKNOWN, 7)

    def commit(transactions: Sequence[Transaction]) -> list[Outcome]:
        lost.extend(transactions)
        return [told for _ in transactions]

    def settle(transaction: Transaction, unknown: Outcome) -> Outcome:
        assert ([transaction], unknown) == (lost, Outcome(OutcomeKind.UNKNOWN, 7))
        return told

    with monkeypatch.context() as patch:
        patch.setattr(repo, "commit", commit)
        patch.setattr(repo, "settle", settle)
        for _ in range(3):
            assert world.handlers.run(calls) == calls.keys()
        assert (world.handlers.runs, len(lost)) == (1, 1)
        patch.undo()
        if committed:
            repo.commit(lost)
        told = Outcome(OutcomeKind.COMMITTED if committed else OutcomeKind.TOO_OLD)
        patch.setattr(repo, "settle", settle)
        assert world.handlers.run(calls) == set()
    assert world.handlers.runs == (1 if committed else 2), "the acknowledgement is stored, or is not"
    assert world.row("campaigns", "@pace", 1) == {"pace": 5.0, "state": "slow"}


def test_a_handler_that_can_not_go_on_now_is_offered_again_alone(make_world: MakeWorld) -> None:
    @handler(observes=["campaigns.budget"], version=1)
    async def pace(ctx: HandlerContext, change: Change) -> None:
        if change.row.key == (1,):
            raise UnavailableError("later")
        ctx.write(change.row, {"pace": 1.0})

    world = make_world(PACED, [pace])
    world.commit(put("campaigns", id=1, budget=1), put("campaigns", id=2, budget=2))
    (outcome,) = world.argus.process(world.items(Lane.HIGH))
    assert isinstance(outcome, Retry) and world.letters.count() == 0
    assert world.row("campaigns", "@pace", 2) is not None and world.handlers.runs == 2


def test_own_writes_are_seen_and_the_rest_of_the_row_with_them(make_world: MakeWorld) -> None:
    seen: list[Any] = []

    @handler(observes=["campaigns.budget"], version=1)
    async def pace(ctx: HandlerContext, change: Change) -> None:
        ctx.write(change.row, {"pace": 1.5})
        row = await ctx.read(change.row)
        seen.append((row["pace"], row["budget"]))
        ctx.delete(change.row)
        row = await ctx.read(change.row)
        seen.append((row["pace"], row["budget"]))

    world = make_world(PACED, [pace])
    world.edit(put("campaigns", id=1, budget=50))
    assert seen == [(1.5, 50), (None, 50)]


def test_keys_of_a_handler_s_own_table_are_written_with_its_rows(make_world: MakeWorld) -> None:
    world = make_world(TOTALS, [add_up])
    world.edit(put("groups", id=3), put("ads", id=1, group_id=3))
    with world.repo.snapshot() as snapshot:
        found = world.handlers._rows.rows(snapshot, {row_of("totals", key_of(3))})
    row = found[row_of("totals", key_of(3))].row
    assert isinstance(row, dict | object) and dict(row) == {"id": 3, "ads": 1, "score": 0.0}  # type: ignore[call-overload]
