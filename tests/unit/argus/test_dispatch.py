"""Which changes ask for what."""

from argus.api import Change, HandlerContext, handler
from argus.dispatch import Dispatcher, Work
from proto.events import Notification, RowChange
from proto.lane import Lane
from tests.support.argus_world import ADS_FLOWS, World, key_of
from tests.unit.argus.conftest import MakeWorld

PACED = ADS_FLOWS + '\n[tables.campaigns.derived]\npace = { type = "float", handler = "pace" }\n'


@handler(observes=["campaigns.budget", "groups"], version=1)
async def pace(ctx: HandlerContext, change: Change) -> None:
    """Does nothing."""


def work_for(world: World, *changes: RowChange, at: int = 5) -> Work:
    work = Work()
    world.argus._dispatcher.add(work, at, Notification(Lane.HIGH, list(changes)))
    return work


def spread(work: Work) -> set[tuple[str, bytes]]:
    return {(target.path, key) for target, keys in work.spreads.items() for key in keys}


def test_only_columns_that_a_document_reads_matter(world: World) -> None:
    assert work_for(world, RowChange("ads", key_of(1), ("starts_on",))).requests == {}
    assert work_for(world, RowChange("ads", key_of(1), ("starts_on", "title"))).requests["ad"].keys() == {key_of(1)}
    assert spread(work_for(world, RowChange("campaigns", key_of(1), ("note",)))) == set()
    assert spread(work_for(world, RowChange("campaigns", key_of(1), ("note", "name")))) == {
        ("group.campaign", key_of(1))
    }


def test_columns_that_only_lead_somewhere_matter_too(world: World) -> None:
    assert spread(work_for(world, RowChange("groups", key_of(1), ("campaign_id",)))) == {("group", key_of(1))}
    assert spread(work_for(world, RowChange("ad_words", key_of(1, 2), ("position",)))) == {("words", key_of(1, 2))}
    assert spread(work_for(world, RowChange("ad_words", key_of(1, 2), ("word_id",)))) == {("words", key_of(1, 2))}


def test_a_new_or_deleted_row_matters_whatever_is_read(world: World) -> None:
    assert spread(work_for(world, RowChange("words", key_of(7)))) == {("words.word", key_of(7))}
    assert work_for(world, RowChange("ads", key_of(1))).requests["ad"].keys() == {key_of(1)}


def test_tables_that_nobody_reads_ask_for_nothing(world: World) -> None:
    work = work_for(world, RowChange("_sources", key_of()))
    assert (work.requests, work.spreads, work.calls) == ({}, {}, {})


def test_changes_of_one_row_are_one_request_with_the_newest_cause(world: World) -> None:
    work, dispatcher = Work(), world.argus._dispatcher
    for at in (7, 9, 8):
        rows = [RowChange("ads", key_of(1), ("title",)), RowChange("campaigns", key_of(1), ("name",))]
        dispatcher.add(work, at, Notification(Lane.HIGH, rows))
    assert work.requests["ad"][key_of(1)].change == 9
    ((only,),) = [list(keys.values()) for keys in work.spreads.values()]
    assert only.cause.change == 9


def test_parents_that_rows_left_are_gathered_over_coalesced_changes(world: World) -> None:
    work, dispatcher = Work(), world.argus._dispatcher
    for at, old, new in ((1, 10, 11), (2, 11, 12)):
        change = RowChange("ad_words", key_of(1, 2), ("ad_id",), {"ads.words": (key_of(old), key_of(new))})
        dispatcher.add(work, at, Notification(Lane.HIGH, [change]))
    ((only,),) = [list(keys.values()) for keys in work.spreads.values()]
    assert set(only.moved) == {key_of(10), key_of(11)}


def test_handlers_are_called_for_what_they_observe(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    assert work_for(world, RowChange("campaigns", key_of(1), ("name",))).calls == {}
    (called,) = work_for(world, RowChange("campaigns", key_of(1), ("budget", "name"))).calls.values()
    assert called.columns == {"budget", "name"}
    assert len(work_for(world, RowChange("groups", key_of(1), ("status",))).calls) == 1


def test_calls_for_one_row_are_one_with_all_columns(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    work, dispatcher = Work(), world.argus._dispatcher
    for at, column in ((3, "status"), (4, "campaign_id")):
        dispatcher.add(work, at, Notification(Lane.HIGH, [RowChange("groups", key_of(1), (column,))]))
    (called,) = work.calls.values()
    assert (called.columns, called.cause.change) == ({"status", "campaign_id"}, 4)
    dispatcher.add(work, 2, Notification(Lane.HIGH, [RowChange("groups", key_of(1))]))
    (called,) = work.calls.values()
    assert (called.columns, called.cause.change) == (frozenset(), 4), "no columns: perhaps all"


def test_a_handler_is_told_which_rows_the_changed_one_left(make_world: MakeWorld) -> None:
    world = make_world(PACED, [pace])
    moved = RowChange("groups", key_of(1), ("campaign_id",), {"campaign": (key_of(5), key_of(6))})
    stayed = RowChange("groups", key_of(2), ("status",), {"campaign": (key_of(5), key_of(5))})
    first, second = work_for(world, moved, stayed).calls.values()
    assert [(row.table, row.key) for row in first.left] == [("campaigns", (5,))]
    assert second.left == frozenset()


def test_a_dispatcher_without_documents_asks_for_nothing(world: World) -> None:
    work = Work()
    Dispatcher(world.application, []).add(work, 1, Notification(Lane.HIGH, [RowChange("ads", key_of(1))]))
    assert work == Work()
