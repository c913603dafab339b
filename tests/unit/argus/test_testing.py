"""The test kit, used as authors of fields and handlers use it."""

from decimal import Decimal

import pytest

from argus.api import Change, HandlerContext, field, handler
from argus.testing import HandlerEnvironment, HandlerRun
from proto.errors import InvalidMessageError
from proto.flows.loader import loads
from tests.support.argus_world import ADS_FLOWS
from tests.support.functions import module_of

FLOWS = loads(
    ADS_FLOWS
    + """share = { handler = "share" }
neighbour = { handler = "neighbour" }

[tables.campaigns.derived]
pace = { type = "decimal", handler = "pace" }
"""
)


@field(inputs={"bid": "bid", "budget": "group.campaign.budget"}, version=1)
def share(bid: Decimal | None, budget: int | None) -> Decimal | None:
    return None if bid is None or not budget else bid / budget


@field(inputs={}, version=1)
async def neighbour(ctx: HandlerContext) -> str | None:
    row = await ctx.read(ctx.row("campaigns", 2))
    return row["name"] if row else None


@handler(observes=["campaigns.budget"], version=1)
async def pace(ctx: HandlerContext, change: Change) -> None:
    row = await ctx.read(change.row)
    if row is None:
        ctx.delete(change.row)
    else:
        ctx.write(change.row, {"pace": Decimal(row["budget"]) / 8})


@pytest.fixture
def env() -> HandlerEnvironment:
    return HandlerEnvironment(FLOWS, module_of(share, neighbour, pace))


def test_a_field_in_five_lines(env: HandlerEnvironment) -> None:
    env.put("ads", id=1, group_id=10, bid="3.00")
    env.put("groups", id=10, campaign_id=1, status="ON")
    env.put("campaigns", id=1, budget=4)
    assert env.document("ad", 1).fields["share"] == "0.75"


def test_a_handler_in_five_lines(env: HandlerEnvironment) -> None:
    env.put("campaigns", id=1, budget=20)
    run = env.run(pace, "campaigns", 1)
    assert run.writes == {("campaigns", (1,)): {"pace": Decimal("2.5")}}
    assert run.reads == {("campaigns", (1,))}


def test_a_document_says_what_is_missing_what_it_read_and_whether_it_may_serve(env: HandlerEnvironment) -> None:
    env.put("ads", id=1, group_id=10).put("groups", id=10, campaign_id=9, status="ON")
    built = env.document("ad", 1)
    assert built.missing == ("group.campaign",) and built.servable and built.reads == {("campaigns", (2,))}
    env.put("campaigns", id=2, name="Next").put("groups", id=10, campaign_id=2, status="OFF")
    built = env.document("ad", 1)
    assert built.missing == () and not built.servable and built.fields["neighbour"] == "Next"


def test_what_a_handler_deletes_is_gone(env: HandlerEnvironment) -> None:
    env.put("campaigns", id=1, budget=20)
    env.run(pace, "campaigns", 1)
    env.delete("campaigns", 1)
    assert env.run(pace, "campaigns", 1).writes == {("campaigns", (1,)): None}


def test_collections_come_in_their_order(env: HandlerEnvironment) -> None:
    env.put("ads", id=1)
    for position, word in ((2, "b"), (1, "a"), (None, "null first")):
        env.put("words", id=ord(word[0]), text=word).put("ad_words", ad_id=1, word_id=ord(word[0]), position=position)
    assert env.document("ad", 1).fields["words"] == ["null first", "a", "b"]


def test_exceptions_come_out_as_they_are(env: HandlerEnvironment) -> None:
    env.put("campaigns", id=1)
    with pytest.raises(TypeError):
        env.run(pace, "campaigns", 1)


def test_misspelt_names_are_told(env: HandlerEnvironment) -> None:
    with pytest.raises(InvalidMessageError, match="no column 'bud': did you mean 'budget'"):
        env.put("campaigns", id=1, bud=3)
    with pytest.raises(InvalidMessageError, match="no table 'campaing': did you mean 'campaigns'"):
        env.put("campaing", id=1)
    with pytest.raises(InvalidMessageError, match="no document type 'add': did you mean 'ad'"):
        env.document("add", 1)
    with pytest.raises(InvalidMessageError, match="put it first"):
        env.document("ad", 404)
    with pytest.raises(InvalidMessageError, match="is not a handler of these flows"):
        env.run(test_misspelt_names_are_told, "campaigns", 1)  # type: ignore[arg-type]


def test_what_readers_would_get_of_an_edit_handlers_included(env: HandlerEnvironment) -> None:
    env.put("ads", id=1, group_id=10, bid="3").put("ads", id=2)
    env.put("groups", id=10, campaign_id=1, status="ON").put("campaigns", id=1, budget=4)
    assert [(one.document, one.key, one.servable) for one in env.publish()] == [("ad", (1,), True), ("ad", (2,), False)]
    assert env.publish() == []
    env.put("campaigns", id=1, budget=8, name="Sale")
    (published,) = env.publish()
    assert published.key == (1,) and published.changed == {"budget", "campaign", "share"}
    assert published.fields is not None and published.fields["share"] == "0.375"
    assert env.run(pace, "campaigns", 1).writes == {("campaigns", (1,)): {"pace": Decimal(1)}}
    env.delete("ads", 1)
    (gone,) = env.publish()
    assert (gone.key, gone.fields, gone.servable) == ((1,), None, False)


def test_handlers_learn_which_rows_a_row_has_left() -> None:
    left: list[object] = []

    @handler(observes=["ads.group_id"], version=1)
    async def crowd(ctx: HandlerContext, change: Change) -> None:
        left.append((change.row.key, {(row.table, row.key) for row in change.left}, change.columns))
        for group in change.left:
            ctx.write(group, {"crowd": 0})

    @handler(observes=["groups.crowd"], version=1)
    async def after(ctx: HandlerContext, change: Change) -> None:
        ctx.write(change.row, {"seen": True})

    flows = loads(
        ADS_FLOWS
        + """[tables.groups.derived]
crowd = { type = "int", handler = "crowd" }
seen = { type = "bool", handler = "after" }
"""
    )
    env = HandlerEnvironment(flows, module_of(crowd, after))
    env.put("groups", id=10).put("ads", id=1, group_id=10)
    env.publish()
    env.put("ads", id=1, group_id=11)
    env.publish()
    assert left == [((1,), set(), frozenset()), ((1,), {("groups", (10,))}, {"group_id"})]
    assert env.run(after, "groups", 10).reads == frozenset()


FIXTURE = """{"document": "ad", "key": [1], "rows": {
    "ads": [{"id": 1, "group_id": 10, "bid": "3.00", "starts_on": "2026-03-01"}],
    "groups": [{"id": 10, "campaign_id": 1, "status": "ON", "a_column_of_the_past": 1}],
    "campaigns": [{"id": 1, "budget": 4}], "a_table_of_the_past": [{"id": 1}]}}"""


def test_a_fixture_in_one_line(env: HandlerEnvironment) -> None:
    assert env.fixture(FIXTURE).document("ad", 1).fields["share"] == "0.75"


def test_a_pasted_letter_fails_as_it_failed(env: HandlerEnvironment) -> None:
    rows = '{"id": 1, "budget": null}'
    letter = f"""{{"stage": "handle", "subject": "pace campaigns/1", "reason": "TypeError",
        "fixture": {{"handler": "pace", "table": "campaigns", "key": [1], "rows": {{"campaigns": [{rows}]}}}}}}"""
    with pytest.raises(TypeError):
        env.replay(letter)
    mended = env.replay(letter.replace("null", "16"))
    assert isinstance(mended, HandlerRun) and mended.writes == {("campaigns", (1,)): {"pace": Decimal(2)}}


def test_what_is_neither_a_fixture_nor_a_letter_is_told(env: HandlerEnvironment) -> None:
    with pytest.raises(InvalidMessageError, match=r"not a fixture: .*`adsindex fixture ID` writes one"):
        env.fixture("{")
    with pytest.raises(InvalidMessageError, match=r"not a dead letter: .*dead-letters show"):
        env.replay("[]")
    with pytest.raises(InvalidMessageError, match=r"holds no rows; .*--json"):
        env.replay({"stage": "build", "subject": "ad/1"})
    with pytest.raises(InvalidMessageError, match="stage 'capture' can't be tried again"):
        env.replay({"stage": "capture", "subject": "ads"})
