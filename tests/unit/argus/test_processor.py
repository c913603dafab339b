"""A batch of notifications as a whole: what is done with it, and what it costs."""

from typing import Any

import pytest

from argus.api import Change, HandlerContext, handler
from proto.lane import Lane
from proto.ports.processor import DONE
from tests.support.argus_world import ADS_FLOWS, World, key_of, put
from tests.unit.argus.conftest import MakeWorld


def test_every_message_of_a_batch_has_an_outcome(world: World) -> None:
    for number in range(3):
        world.commit(put("ads", id=number))
    assert world.argus.process(world.items(Lane.HIGH)) == [DONE] * 3
    assert world.argus.process([]) == []


def test_documents_of_several_messages_are_one_transaction(world: World) -> None:
    for number in range(20):
        world.commit(put("ads", id=number, title="t"))
    items, commits = world.items(Lane.HIGH), world.repo.commits
    world.argus.process(items)
    assert world.repo.commits - commits == 1 and world.publications() == 1


def test_a_batch_is_one_durable_commit(world: World) -> None:
    world.commit(put("groups", id=1), *(put("ads", id=number, group_id=1) for number in range(20)))
    commits = world.environment.commits
    world.deliver()
    assert world.environment.commits - commits <= 2, "one for each lane that had messages"


def test_large_batches_are_built_in_parts(world: World) -> None:
    world.argus._batch_documents_max = 10
    world.commit(*(put("ads", id=number) for number in range(35)))
    commits = world.repo.commits
    world.argus.process(world.items(Lane.HIGH))
    assert world.repo.commits - commits == 4 and world.parts.builders["ad"].counts.built == 35


def test_a_deeper_batch_costs_no_more_calls_when_many_rows_change(world: World) -> None:
    world.edit(
        *(put("campaigns", id=at, name="c") for at in range(40)),
        *(put("groups", id=at, campaign_id=at) for at in range(40)),
        *(put("ads", id=at, group_id=at) for at in range(40)),
    )

    def calls(count: int, name: str) -> tuple[int, int]:
        world.commit(*(put("campaigns", id=at, name=name) for at in range(count)))
        before = world.repo.reads, world.repo.scans
        world.deliver()
        return world.repo.reads - before[0], world.repo.scans - before[1]

    assert calls(2, "d") == calls(40, "e")


def test_before_it_is_live_handlers_run_and_nothing_is_built(make_world: MakeWorld) -> None:
    called: list[Any] = []

    @handler(observes=["campaigns.budget"], version=1)
    async def pace(ctx: HandlerContext, change: Change) -> None:
        called.append(change.row.key)

    flows = ADS_FLOWS + '\n[tables.campaigns.derived]\npace = { type = "float", handler = "pace" }\n'
    world = make_world(flows, [pace], live=False)
    world.commit(put("ads", id=1), put("campaigns", id=1))
    world.deliver()
    assert called == [(1,)] and world.build_record(1) is None


def test_an_error_of_the_store_leaves_nothing_of_the_batch(world: World) -> None:
    world.commit(put("ads", id=1, title="t"))
    items = world.items(Lane.HIGH)

    def fails() -> None:
        raise OSError("no space left")

    world.repo.before_commit = fails
    with pytest.raises(OSError, match="no space left"), world.log.group():
        world.argus.process(items)
    assert world.build_record(1) is None and world.publications() == 0
    world.argus.process(items)
    assert world.build_record(1) is not None
    assert world.engine.snapshot().read("document:ad", "build", [key_of(1)]) != [None]
