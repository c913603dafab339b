"""Whatever is edited, deleted, moved, redelivered or restarted: in the end every document equals a plain join."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argus.api import Change, HandlerContext, field, handler
from proto.lane import Lane
from tests.support.argus_world import ADS_FLOWS, Gone, World, gone, put

WITH_ADS = """campaign = "campaign_id -> campaigns" }
collections = { ads = "ads.group_id" }"""

FLOWS = (
    ADS_FLOWS.replace('campaign = "campaign_id -> campaigns" }', WITH_ADS)
    + """
length = { handler = "length" }
rival = { handler = "rival" }
ads_of_group = "group.ads_counted"

[tables.groups.derived]
ads_counted = { type = "int", handler = "count_ads" }
"""
)

Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


@field(inputs={"words": "words.word.text"}, version=1)
def length(words: list[str | None]) -> int:
    """Letters of all words."""
    return sum(len(word or "") for word in words)


@field(inputs={"group": "group_id"}, version=1)
async def rival(ctx: HandlerContext, group: int | None) -> str | None:
    """The least title of the next group, which no path leads to."""
    ads = await ctx.collection(ctx.row("groups", (group or 0) + 1), "ads")
    return min((ad["title"] for ad in ads if ad["title"] is not None), default=None)


@handler(observes=["ads.group_id"], version=1)
async def count_ads(ctx: HandlerContext, change: Change) -> None:
    """Keeps `ads_counted` of the groups that an ad is or was in."""
    ad = await ctx.read(change.row)
    groups = {row for row in change.left if row.table == "groups"}
    if ad is not None and ad["group_id"] is not None:
        groups.add(ctx.row("groups", ad["group_id"]))
    for group in sorted(groups):
        ctx.write(group, {"ads_counted": len(await ctx.collection(group, "ads"))})


def joined(rows: Rows) -> dict[int, dict[str, Any]]:
    """Every document, joined in a few lines of Python."""
    documents: dict[int, dict[str, Any]] = {}
    for (ad_id,), ad in rows["ads"].items():
        group = rows["groups"].get((ad["group_id"],))
        campaign = rows["campaigns"].get((group["campaign_id"],)) if group else None
        links = [link for (owner, _), link in rows["ad_words"].items() if owner == ad_id]
        links.sort(key=lambda link: (link["position"] is not None, link["position"] or 0, link["word_id"]))
        texts = [rows["words"].get((link["word_id"],), {}).get("text") for link in links[:5]]
        rivals = [other["title"] for other in rows["ads"].values() if other["group_id"] == (ad["group_id"] or 0) + 1]
        documents[ad_id] = {
            "title": ad["title"],
            "bid": None,
            "score": ad["score"],
            "status": group["status"] if group else None,
            "campaign": campaign["name"] if campaign else None,
            "budget": campaign["budget"] if campaign else None,
            "words": texts,
            "length": sum(len(text or "") for text in texts),
            "rival": min((title for title in rivals if title is not None), default=None),
            "ads_of_group": sum(other["group_id"] == ad["group_id"] for other in rows["ads"].values())
            if group
            else None,
        }
    return documents


SMALL = st.integers(1, 3)
MAYBE = st.none() | SMALL
TEXT = st.none() | st.sampled_from(["", "a", "bc", "żółw 🐢"])
ROW = st.one_of(
    st.builds(
        lambda id, **row: put("ads", id=id, **row), SMALL, group_id=MAYBE, title=TEXT, score=st.none() | st.just(0.5)
    ),
    st.builds(
        lambda id, **row: put("groups", id=id, **row), SMALL, campaign_id=MAYBE, status=st.sampled_from(["ON", "OFF"])
    ),
    st.builds(lambda id, **row: put("campaigns", id=id, **row), SMALL, name=TEXT, budget=MAYBE),
    st.builds(lambda ad, word, at: put("ad_words", ad_id=ad, word_id=word, position=at), SMALL, SMALL, MAYBE),
    st.builds(lambda id, text: put("words", id=id, text=text), SMALL, TEXT),
    st.builds(gone, st.sampled_from(["ads", "groups", "campaigns", "words"]), SMALL),
    st.builds(gone, st.just("ad_words"), SMALL, SMALL),
)
EDIT = st.tuples(st.lists(ROW, min_size=1, max_size=4), st.sampled_from(["settle", "settle", "deliver", ""]))
STEP = st.one_of(EDIT, EDIT, EDIT, st.sampled_from(["deliver", "undo", "restart", "slice"]))

START = [
    *(put("ads", id=at, group_id=1 + at % 2, title="abc"[at - 1]) for at in (1, 2, 3)),
    *(put("groups", id=at, campaign_id=1, status="ON") for at in (1, 2)),
    *(put("campaigns", id=at, name=str(at)) for at in (1, 2)),
    *(put("words", id=at, text=str(at)) for at in (1, 2)),
    *(put("ad_words", ad_id=ad, word_id=word, position=1) for ad in (1, 2, 3) for word in (1, 2)),
]


def key_in(world: World, table: str, change: dict[str, Any] | Gone) -> tuple[Any, ...]:
    key = world.application.flows.tables[table].key
    return change.key if isinstance(change, Gone) else tuple(change[name] for name in key)


def apply(world: World, rows: Rows, changes: list[Any]) -> None:
    """One source transaction: of each row what it is at its end."""
    last = {(table, key_in(world, table, change)): (table, change) for table, change in changes}
    world.commit(*last.values())
    for (table, key), (_, change) in last.items():
        rows[table].pop(key, None)
        if not isinstance(change, Gone):
            rows[table][key] = dict.fromkeys(world.application.flows.tables[table].columns) | change


@contextmanager
def fresh_world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), FLOWS, [length, rival, count_ads])
        yield world
        world.close()


def undone_delivery(world: World) -> None:
    """A batch is processed and its group undone: positions stay, and everything is offered again."""
    before = dict(world._offsets)
    try:
        with world.log.group():
            for lane in Lane:
                world.argus.process(world.items(lane))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        world._offsets.update(before)
        world.jobs.forget()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=1, max_size=12))
def test_documents_equal_the_join(steps: list[Any]) -> None:
    with fresh_world() as world:
        rows: Rows = {name: {} for name in world.application.flows.tables}
        for step in [(START, "settle"), *steps]:
            if isinstance(step, tuple):
                apply(world, rows, step[0])
                step = step[1]
            if step == "settle":
                world.settle()
            elif step == "deliver":
                world.deliver()
            elif step == "undo":
                undone_delivery(world)
            elif step == "slice":
                world.jobs.step(2)
            elif step == "restart":
                world = world.again(functions=[length, rival, count_ads], live=True)
        world.settle()
        found = {number: world.fields(number) for number in (1, 2, 3)}
        assert {number: fields for number, fields in found.items() if fields is not None} == joined(rows)
        assert world.letters.count() == 0
