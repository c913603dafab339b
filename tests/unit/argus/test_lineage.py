"""Lineage says the truth: each field is what follows from exactly the row versions that are recorded."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest

from argus.api import Change, HandlerContext, field, handler
from argus.lineage import Lineage, RowRead, decode_lineage
from argus.outline import Input, Outline, Place, load_outline
from proto.lane import Lane
from proto.record import decode_document, decode_record
from repo.api import Snapshot
from repo.system import CONTENT, LINEAGE, document_table
from tests.support.argus_world import ADS_FLOWS, World, gone, key_of, put
from tests.support.argus_world import Change as Edit
from tests.unit.argus.conftest import MakeWorld

FLOWS = (
    ADS_FLOWS.replace(
        "[documents.ad]", '[tables.campaigns.derived]\npace = { type = "int", handler = "pace" }\n\n[documents.ad]'
    )
    + """
pace = "group.campaign.pace"
headline = { handler = "headline" }
lengths = { handler = "lengths" }
neighbour = { handler = "neighbour" }
"""
)


@field(inputs={"title": "title", "campaign": "group.campaign"}, version=3)
def headline(title: str | None, campaign: dict[str, Any] | None) -> str:
    return f"{title} {sorted(campaign.items()) if campaign else None}"


@field(inputs={"words": "words.word"}, version=1)
def lengths(words: list[dict[str, Any] | None]) -> list[int]:
    return [len(word["text"] or "") if word else -1 for word in words]


@field(inputs={"group": "group_id"}, version=1)
async def neighbour(ctx: HandlerContext, group: int | None) -> str:
    row = await ctx.read(ctx.row("groups", (group or 0) + 1))
    return "nobody" if row is None else str(row["status"])


@handler(observes=["campaigns.budget"], version=1)
async def pace(ctx: HandlerContext, change: Change) -> None:
    row = await ctx.read(change.row)
    ctx.write(change.row, {"pace": None if row is None or row["budget"] is None else row["budget"] * 2})


FUNCTIONS: list[Callable[..., Any]] = [headline, lengths, neighbour, pace]


def random_edit(random: Random) -> Edit:
    """Of few rows, so that they meet."""
    table, key = random.choice(["ads", "groups", "campaigns", "words", "ad_words"]), random.randrange(3)
    if random.random() < 0.2:
        return gone(table, key, random.randrange(3)) if table == "ad_words" else gone(table, key)
    parent = random.choice([0, 1, 2, 9, None])
    text, number = random.choice(["", "a", "bb", None]), random.choice([1, 2, None])
    match table:
        case "ads":
            return put("ads", id=key, group_id=parent, title=text, bid="1.5", score=number)
        case "groups":
            return put("groups", id=key, campaign_id=parent, status=text)
        case "campaigns":
            return put("campaigns", id=key, name=text, budget=number, note=random.choice("xyz"))
        case "words":
            return put("words", id=key, text=text)
    return put("ad_words", ad_id=key, word_id=random.randrange(4), position=number)


@pytest.mark.parametrize("seed", range(6))
def test_every_field_follows_from_the_recorded_versions_now_and_then(make_world: MakeWorld, seed: int) -> None:
    world, random = make_world(FLOWS, FUNCTIONS), Random(seed)
    moments = []
    for _ in range(60):
        world.commit(*(random_edit(random) for _ in range(random.choice([1, 1, 2, 5]))))
        if random.random() < 0.7:
            world.settle()
            moments.append(world.repo.last_timestamp())
    world.settle()
    compared = 0
    for timestamp in [*moments, world.repo.last_timestamp()]:
        with world.repo.snapshot_at(timestamp) as snapshot:
            for ad in range(3):
                compared += told(world, snapshot, ad)
    assert compared > 60


def told(world: World, snapshot: Snapshot, ad: int) -> bool:
    """Compares one document; False where there is none."""
    (content,) = snapshot.read(document_table("ad"), CONTENT, [key_of(ad)])
    if content is None:
        return False
    record, (lineage, outline) = decode_document(content.value or b""), recorded(snapshot, ad)
    truth = Recomputed(world, outline, lineage)
    if record.values is None:
        assert lineage.places[0][0].versions[0] <= 0
        return True
    stored = dict(zip(world.schemas.names(record.schema), record.values, strict=True))
    assert stored == {name: truth.field(name) for name in stored}
    assert (record.missing or []) == truth.missing()
    return True


def recorded(snapshot: Snapshot, ad: int) -> tuple[Lineage, Outline]:
    (version,) = snapshot.read(document_table("ad"), LINEAGE, [key_of(ad)])
    assert version is not None
    lineage = decode_lineage(key_of(ad), version)
    outline = load_outline(snapshot, "ad", lineage.generation)
    assert outline is not None
    return lineage, outline


class Recomputed:
    """A document, from the versions that its lineage names and from nothing else."""

    def __init__(self, world: World, outline: Outline, lineage: Lineage) -> None:
        self._world, self._lineage = world, lineage
        self._outline, self._origins = outline, {field.name: field for field in outline.fields}

    def field(self, name: str) -> Any:
        origin = self._origins[name]
        values = {one.parameter: self._input(one) for one in origin.inputs}
        if origin.reads:
            (read,) = [read for read in self._lineage.own if read.field == name]
            row = self._row(read.table, read.key, read.versions)
            return "nobody" if row is None else str(row["status"])
        if not origin.handler:
            return values[""]
        return {"headline": headline, "lengths": lengths}[origin.handler](**values)

    def missing(self) -> list[str]:
        found = [
            place.path
            for place, rows in zip(self._outline.places, self._lineage.places, strict=True)
            if any(row.key is not None and row.versions[0] <= 0 for row in rows)
        ]
        return [path for path in found if path]

    def _input(self, wanted: Input) -> Any:
        place = self._outline.places[wanted.place]
        rows = [self._values(place, row) for row in self._lineage.places[wanted.place]]
        values = [row if not wanted.column else row and row[wanted.column] for row in rows]
        return values if place.many else values[0]

    def _values(self, place: Place, row: RowRead) -> dict[str, Any] | None:
        names = [group for group, _ in place.groups]
        return None if row.key is None else self._row(place.table, row.key, dict(zip(names, row.versions, strict=True)))

    def _row(self, table: str, key: bytes, versions: Mapping[str, int]) -> dict[str, Any] | None:
        if versions[self._world.application.flows.tables[table].key_group()] <= 0:
            return None
        values: dict[str, Any] = {}
        for group, names in self._world.application.flows.tables[table].groups().items():
            stored = self._stored(table, group, key, versions[group]) if group in versions else None
            values.update(zip(names, stored or [None] * len(names), strict=True))
        return values

    def _stored(self, table: str, group: str, key: bytes, version: int) -> list[Any] | None:
        if version <= 0:
            return None
        with self._world.repo.snapshot() as snapshot:
            history = {one.commit_timestamp: one for one in snapshot.history(table, group, key, 1000)}
        return list(decode_record(history[version].value or b"").values or ())


def test_an_unchanged_build_notes_the_newer_version_and_an_equal_one_nothing(make_world: MakeWorld) -> None:
    @field(inputs={"budget": "group.campaign.budget"}, version=1)
    def rich(budget: int | None) -> bool:
        return (budget or 0) > 100

    world = make_world(ADS_FLOWS.replace('budget = "group.campaign.budget"', 'rich = { handler = "rich" }'), [rich])
    world.edit(put("campaigns", id=1, budget=500), put("groups", id=1, campaign_id=1), put("ads", id=1, group_id=1))
    published = world.publications()
    before = versions_of(world, "group.campaign")
    world.edit(put("campaigns", id=1, budget=600))
    assert world.publications() == published and versions_of(world, "group.campaign") > before
    noted = history_length(world)
    world.jobs.refresh("ad", 7)
    world.settle()
    assert world.parts.builders["ad"].counts.unchanged == 2 and history_length(world) == noted


def test_a_document_of_an_earlier_generation_is_still_explained(make_world: MakeWorld) -> None:
    world = make_world(FLOWS, FUNCTIONS)
    world.edit(put("ads", id=1, group_id=None, title="x"))

    @field(inputs={"title": "title"}, version=4)
    def headline(title: str | None) -> str:
        return f"new {title}"

    newer = world.again(FLOWS, [headline, lengths, neighbour, pace])
    with newer.repo.snapshot() as snapshot:
        lineage, outline = recorded(snapshot, 1)
        assert lineage.generation == 1 and version_of(outline, "headline") == 3
    newer.jobs.refresh("ad", 2)
    newer.settle()
    with newer.repo.snapshot() as snapshot:
        lineage, outline = recorded(snapshot, 1)
        assert lineage.generation == 2 and version_of(outline, "headline") == 4


def test_lineage_costs_no_storage_call(make_world: MakeWorld) -> None:
    world = make_world()
    world.edit(put("groups", id=1), *(put("ads", id=ad, group_id=1) for ad in range(50)))
    world.commit(*(put("ads", id=ad, group_id=1, title="new") for ad in range(50)))
    items = world.items(Lane.HIGH)
    reads, scans, commits = world.repo.reads, world.repo.scans, world.repo.commits
    world.argus.process(items)
    cost = world.repo.reads - reads, world.repo.scans - scans, world.repo.commits - commits
    groups = len(world.parts.builders["ad"]._compiled.plan.slots)
    assert cost[0] <= 1 + groups and cost[1:] == (1, 1), (
        "one for build records, one a group; one collection; one commit"
    )


def versions_of(world: World, path: str) -> tuple[int, ...]:
    with world.repo.snapshot() as snapshot:
        lineage, outline = recorded(snapshot, 1)
    (number,) = [number for number, place in enumerate(outline.places) if place.path == path]
    return lineage.places[number][0].versions


def version_of(outline: Outline, name: str) -> int:
    return next(field.version for field in outline.fields if field.name == name)


def history_length(world: World) -> int:
    with world.repo.snapshot() as snapshot:
        return len(snapshot.history(document_table("ad"), LINEAGE, key_of(1)))
