"""Documents: what is in them, when they are built, what a build commits (N4, N5)."""

from argus.api import HandlerContext, RowRef, field
from proto.codec import encode_key
from proto.events import Cause
from proto.lane import Lane
from proto.ports.processor import Retry
from proto.record import BuildRecord, encode
from repo.api import Transaction
from repo.system import BUILD, document_table
from tests.support.argus_world import ADS_FLOWS, SOURCE, World, gone, key_of, put
from tests.unit.argus.conftest import MakeWorld

EVERYTHING = (
    put("campaigns", id=1, name="Spring", budget=500),
    put("groups", id=10, campaign_id=1, status="ON"),
    put("ads", id=100, group_id=10, title="Shoes", bid="1.50", score=0.5),
    put("words", id=7, text="red"),
    put("words", id=8, text="blue"),
    put("ad_words", ad_id=100, word_id=8, position=1),
    put("ad_words", ad_id=100, word_id=7, position=2),
)


def test_a_document_holds_copies_along_references_and_collections(world: World) -> None:
    world.edit(*EVERYTHING)
    assert world.fields(100) == {
        "title": "Shoes",
        "bid": "1.50",
        "score": 0.5,
        "status": "ON",
        "campaign": "Spring",
        "budget": 500,
        "words": ["blue", "red"],
    }
    content = world.content(100)
    assert content is not None and content.servable and content.missing is None


def test_a_missing_parent_gives_null_and_is_listed(world: World) -> None:
    world.edit(put("ads", id=100, group_id=10, title="Shoes"), put("groups", id=10, campaign_id=404, status="ON"))
    content = world.content(100)
    assert content is not None and content.missing == ["group.campaign"] and content.servable
    fields = world.fields(100)
    assert fields is not None and fields["campaign"] is None and fields["status"] == "ON"
    world.edit(put("campaigns", id=404, name="Late"))
    content = world.content(100)
    assert content is not None and content.missing is None and "Late" in (content.values or ())


def test_a_null_reference_is_not_missing_and_null_is_not_servable(world: World) -> None:
    world.edit(put("ads", id=100, title="Shoes"))
    content = world.content(100)
    assert content is not None and content.missing is None and not content.servable


def test_a_deleted_root_leaves_a_published_tombstone_and_comes_back(world: World) -> None:
    world.edit(*EVERYTHING)
    world.publish()
    world.edit(gone("ads", 100))
    content = world.content(100)
    assert content is not None and content.values is None
    (tombstone,) = world.publish()
    assert (tombstone.kind, tombstone.key) == ("document", key_of(100))
    world.edit(put("ads", id=100, title="Again"))
    fields = world.fields(100)
    assert fields is not None and fields["title"] == "Again"


def test_a_document_that_never_was_leaves_nothing_to_publish(world: World) -> None:
    world.commit(put("ads", id=100, title="Shoes"))
    world.commit(gone("ads", 100))
    world.settle()
    assert world.content(100) is None and world.publications() == 0


def test_unchanged_content_publishes_nothing_but_is_noted(world: World) -> None:
    world.edit(*EVERYTHING)
    before, published = world.build_record(100), world.publications()
    assert before is not None
    world.edit(put("ads", id=100, group_id=10, title="Shoes", bid="1.50", score=0.5, starts_on="2026-01-01"))
    assert world.build_record(100) == before, "no field reads starts_on"
    world.argus.process(world.items(Lane.HIGH))
    at = world.repo.last_timestamp()
    world.parts.builders["ad"].build({key_of(100): Cause(at, Lane.LOW)})
    after = world.build_record(100)
    assert after is not None and after.built_at >= at > before.built_at
    assert world.publications() == published and world.parts.builders["ad"].counts.unchanged == 1


def test_what_is_built_at_the_change_or_later_is_dropped(world: World) -> None:
    change = world.commit(*EVERYTHING)
    items = world.items(Lane.HIGH)
    world.argus.process(items)
    commits = world.repo.commits
    world.argus.process(items)
    assert world.repo.commits == commits
    builder = world.parts.builders["ad"]
    assert builder.counts.built == 1 and builder.counts.already == 1
    assert builder.build({key_of(100): Cause(change, Lane.HIGH)}) == set()


def test_the_newest_change_counts_in_whatever_order_messages_come(world: World) -> None:
    world.edit(put("ads", id=100, title="one"))
    first = world.commit(put("ads", id=100, title="two"))
    older = world.items(Lane.HIGH)
    world.parts.builders["ad"].build({key_of(100): Cause(first, Lane.HIGH)})
    world.commit(put("ads", id=100, title="three"))
    world.argus.process([*world.items(Lane.HIGH), *older])
    fields = world.fields(100)
    assert fields is not None and fields["title"] == "three"


def test_a_slower_older_build_conflicts_and_is_built_anew(world: World) -> None:
    """N5: the newer build changed nothing of the content, and is seen all the same."""
    world.edit(put("ads", id=100, title="one"))
    builder = world.parts.builders["ad"]
    overtaken = []

    def newer_build_comes_first() -> None:
        overtaken.append(world.commit(put("ads", id=100, title="two")))
        builder.build({key_of(100): Cause(overtaken[0], Lane.HIGH)})

    change = world.commit(put("ads", id=100, title="one", starts_on="2026-01-01"))
    world.repo.before_commit = newer_build_comes_first
    builder.build({key_of(100): Cause(change, Lane.HIGH)})
    fields, record = world.fields(100), world.build_record(100)
    assert fields is not None and fields["title"] == "two"
    assert builder.counts.conflicts == 1
    assert record is not None and record.built_at >= overtaken[0]


def test_documents_of_a_newer_generation_are_offered_again_and_never_built(world: World) -> None:
    world.edit(put("ads", id=100, title="one"), put("ads", id=101, title="one"))
    record = world.build_record(100)
    assert record is not None
    newer = Transaction(world.repo.last_timestamp())
    newer.write(document_table("ad"), key_of(100), BUILD, encode(BuildRecord(record.built_at, record.generation + 1)))
    assert world.repo.commit([newer])[0].committed
    world.commit(put("ads", id=100, title="two"), put("ads", id=101, title="two"))
    reads = world.repo.reads
    (outcome,) = world.deliver()
    assert isinstance(outcome, Retry)
    fields, neighbour = world.fields(100), world.fields(101)
    assert fields is not None and fields["title"] == "one", "it belongs to the newer worker"
    assert neighbour is not None and neighbour["title"] == "two"
    assert world.repo.reads - reads < 12, "asking again at once would not help"


def test_an_older_generation_is_built_again_though_nothing_changed(world: World) -> None:
    world.edit(*EVERYTHING)
    other = world.again(ADS_FLOWS.replace('title = "title"', 'title = "title"\nname = "group.campaign.note"'))
    other.parts.builders["ad"].build({key_of(100): Cause(1, Lane.LOW)})
    fields = other.fields(100)
    assert fields is not None and "name" in fields


def test_calls_to_the_store_do_not_grow_with_the_batch(world: World) -> None:
    def calls_for(first: int, count: int) -> tuple[int, int, int]:
        world.commit(*(put("ads", id=first + at, group_id=10, title="t") for at in range(count)))
        before = world.repo.reads, world.repo.scans, world.repo.commits
        world.deliver()
        return world.repo.reads - before[0], world.repo.scans - before[1], world.repo.commits - before[2]

    world.edit(*EVERYTHING)
    assert calls_for(1000, 1) == calls_for(2000, 300)


NOTED = ADS_FLOWS + 'neighbour = { handler = "neighbour" }\n'


@field(inputs={"ad_id": "score", "group": "group_id"}, version=1)
async def neighbour(ctx: HandlerContext, ad_id: float | None, group: int | None) -> str:
    """The name of a campaign that no path leads to, and how many words the ad has."""
    campaign = await ctx.read(ctx.row("campaigns", 77))
    words = await ctx.collection(ctx.row("ads", 100), "words")
    return f"{campaign['name'] if campaign else None} {len(words)}"


def neighbour_of(world: World, *key: int) -> str:
    fields = world.fields(*key)
    assert fields is not None
    return str(fields["neighbour"])


def test_rows_that_a_field_read_by_itself_bring_the_document_up_to_date(make_world: MakeWorld) -> None:
    """N4: present or not, changed or deleted."""
    world = make_world(NOTED, [neighbour])
    world.edit(*EVERYTHING)
    assert neighbour_of(world, 100) == "None 2"
    world.edit(put("campaigns", id=77, name="Autumn"))
    assert neighbour_of(world, 100) == "Autumn 2"
    world.edit(gone("campaigns", 77))
    assert neighbour_of(world, 100) == "None 2"


def test_a_collection_that_a_field_read_by_itself_counts_with_its_new_rows(make_world: MakeWorld) -> None:
    world = make_world(NOTED, [neighbour])
    world.edit(*EVERYTHING, put("ads", id=101, title="reads the words of ad 100"))
    world.edit(put("ad_words", ad_id=100, word_id=9, position=3))
    assert neighbour_of(world, 101) == "None 3"
    world.edit(gone("ad_words", 100, 9))
    assert neighbour_of(world, 101) == "None 2"


def test_a_row_that_changes_between_reading_and_commit_conflicts(make_world: MakeWorld) -> None:
    """N4: the build's transaction checks what it has read, so the change in between is not lost."""
    world = make_world(NOTED, [neighbour])
    world.edit(*EVERYTHING)
    change = world.commit(put("ads", id=100, title="new"))
    world.repo.before_commit = lambda: world.commit(put("campaigns", id=77, name="Between"))
    builder = world.parts.builders["ad"]
    builder.build({key_of(100): Cause(change, Lane.HIGH)})
    assert builder.counts.conflicts == 1 and neighbour_of(world, 100) == "Between 2"


def test_reads_that_are_no_longer_made_are_forgotten(make_world: MakeWorld) -> None:
    @field(inputs={"group": "group_id"}, version=1)
    async def neighbour(ctx: HandlerContext, group: int | None) -> str:
        row: RowRef = ctx.row("campaigns", group or 0)
        campaign = await ctx.read(row)
        return str(campaign and campaign["name"])

    world = make_world(NOTED, [neighbour])
    world.edit(put("ads", id=100, group_id=1))
    world.edit(put("ads", id=100, group_id=2))
    record = world.build_record(100)
    assert record is not None and record.reads == [("campaigns", encode_key((SOURCE, 2)))]
    built = world.parts.builders["ad"].counts.built
    world.edit(put("campaigns", id=1, name="nobody reads it any more"))
    assert world.parts.builders["ad"].counts.built == built
