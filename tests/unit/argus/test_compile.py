"""Computed fields: what they get, what they may return, and what happens when one raises."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from argus.api import field
from argus.compile import compile_document
from argus.registry import register
from argus.testing import HandlerEnvironment
from proto.errors import FlowsError
from proto.flows.loader import loads
from proto.lane import Lane
from tests.support.argus_world import ADS_FLOWS, World, put
from tests.support.functions import module_of
from tests.unit.argus.conftest import MakeWorld

TWICE = ADS_FLOWS + 'twice = { handler = "twice" }\n'


@field(inputs={"bid": "bid"}, version=1)
def twice(bid: Decimal | None) -> Decimal | None:
    """Fails for a negative bid."""
    if bid is not None and bid < 0:
        raise ValueError("a bid can't be negative")
    return None if bid is None else bid * 2


def test_a_field_that_raises_is_named_in_a_dead_letter_and_the_others_go_on(make_world: MakeWorld) -> None:
    world = make_world(TWICE, [twice])
    world.edit(put("ads", id=1, bid="1.5"), put("ads", id=2, bid="-1"), put("ads", id=3, bid="2"))
    assert (fields := world.fields(1)) is not None and fields["twice"] == "3.0"
    assert world.fields(2) is None and world.fields(3) is not None
    letter = world.letter("build", "ad/2")
    assert letter is not None
    assert (letter.column, letter.table, letter.key) == ("twice", "ads", letter.key)
    assert letter.reason == "ValueError: a bid can't be negative"


def test_the_last_good_version_stays_and_a_later_success_clears_the_letter(make_world: MakeWorld) -> None:
    world = make_world(TWICE, [twice])
    world.edit(put("ads", id=2, bid="4"))
    world.edit(put("ads", id=2, bid="-1"))
    assert (fields := world.fields(2)) is not None and fields["bid"] == "4"
    assert world.letters.count() == 1
    world.edit(put("ads", id=2, bid="5"))
    assert world.letters.count() == 0
    assert (fields := world.fields(2)) is not None and fields["twice"] == "10"


def test_a_replayed_letter_builds_what_is_good_by_now(make_world: MakeWorld) -> None:
    world = make_world(TWICE, [twice])
    world.edit(put("ads", id=2, bid="-1"))
    letter = world.letter("build", "ad/2")
    assert letter is not None
    world.commit(put("ads", id=2, bid="1"))
    for lane in Lane:
        world.items(lane)  # the notification is lost, let us say
    world.log.append(letter.topic, letter.partition, [letter.message])
    world.settle()
    assert world.letters.count() == 0 and world.fields(2) is not None


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("text", "is declared int"),
        (2**63, "is not a 64-bit integer"),
        (1.5, "is declared int"),
    ],
)
def test_a_wrong_return_value_is_told(make_world: MakeWorld, returned: Any, reason: str) -> None:
    @field(inputs={}, version=1)
    def count() -> int:
        return returned  # type: ignore[no-any-return]

    world = make_world(ADS_FLOWS + 'count = { handler = "count" }\n', [count])
    world.edit(put("ads", id=1))
    letter = world.letter("build", "ad/1")
    assert letter is not None and letter.column == "count" and reason in letter.reason


@pytest.mark.parametrize("returned", [float("nan"), object(), {1: object()}, "\ud800"])
def test_what_can_not_be_stored_is_told_whatever_the_annotation(make_world: MakeWorld, returned: Any) -> None:
    @field(inputs={}, version=1)
    def anything() -> Any:
        return returned

    world = make_world(ADS_FLOWS + 'anything = { handler = "anything" }\n', [anything])
    world.edit(put("ads", id=1))
    letter = world.letter("build", "ad/1")
    assert letter is not None and letter.column == "anything"


def test_functions_get_python_values_and_rows(make_world: MakeWorld) -> None:
    seen: dict[str, Any] = {}

    @field(
        inputs={"starts": "starts_on", "bid": "bid", "group": "group", "texts": "words.word.text", "words": "words"},
        version=1,
    )
    def look(starts: date, bid: Decimal, group: Any, texts: list[str], words: list[Any]) -> bool:
        seen.update(starts=starts, bid=bid, group=group, texts=texts, words=words)
        return True

    world = make_world(ADS_FLOWS + 'look = { handler = "look" }\n', [look])
    world.edit(
        put("ads", id=1, group_id=10, starts_on="2026-02-03", bid="0.10"),
        put("groups", id=10, campaign_id=1, status="ON"),
        put("ad_words", ad_id=1, word_id=7, position=3),
        put("words", id=7, text="red"),
    )
    assert seen == {
        "starts": date(2026, 2, 3),
        "bid": Decimal("0.10"),
        "group": {"id": 10, "campaign_id": 1, "status": "ON"},
        "texts": ["red"],
        "words": [{"ad_id": 1, "word_id": 7, "position": 3}],
    }


def test_a_row_that_is_not_there_is_none(make_world: MakeWorld) -> None:
    @field(inputs={"group": "group"}, version=1)
    def has_group(group: Any) -> bool:
        return group is not None

    environment = HandlerEnvironment(loads(ADS_FLOWS + 'has_group = { handler = "has_group" }\n'), module_of(has_group))
    environment.put("ads", id=1, group_id=10)
    assert environment.document("ad", 1).fields["has_group"] is False
    environment.put("groups", id=10)
    assert environment.document("ad", 1).fields["has_group"] is True


def test_a_field_declared_by_its_decorator_alone_needs_no_entry(make_world: MakeWorld) -> None:
    @field(inputs={"title": "title"}, version=1, document="ad")
    def loud(title: str | None) -> str:
        return (title or "").upper()

    world = make_world(functions=[loud])
    world.edit(put("ads", id=1, title="hey"))
    assert (fields := world.fields(1)) is not None and fields["loud"] == "HEY"


def test_an_annotation_that_can_not_be_resolved_is_told_at_load() -> None:
    @field(inputs={}, version=1)
    def odd() -> "NoSuchType":  # type: ignore[name-defined]  # noqa: F821
        return None

    application = register(loads(ADS_FLOWS + 'odd = { handler = "odd" }\n'), [module_of(odd)])
    with pytest.raises(FlowsError, match=r"'odd'.*NoSuchType"):
        compile_document(application, application.flows.documents["ad"])


def test_asynchronous_fields_raise_for_their_own_document(make_world: MakeWorld) -> None:
    @field(inputs={"title": "title"}, version=1)
    async def later(ctx: Any, title: str) -> str:
        row = await ctx.read(ctx.row("campaigns", int(title)))
        return str(row["name"])

    world: World = make_world(ADS_FLOWS + 'later = { handler = "later" }\n', [later])
    world.edit(put("campaigns", id=1, name="one"), put("ads", id=1, title="1"), put("ads", id=2, title="2"))
    assert (fields := world.fields(1)) is not None and fields["later"] == "one"
    letter = world.letter("build", "ad/2")
    assert letter is not None and letter.column == "later" and "NoneType" in letter.reason
    world.edit(put("campaigns", id=2, name="two"))
    assert (fields := world.fields(2)) is not None and fields["later"] == "two", "what it had read brought it back"
    assert world.letters.count() == 0


def test_a_compiled_type_tells_what_its_functions_are_called_with() -> None:
    application = register(loads(TWICE), [module_of(twice)])
    compiled = compile_document(application, application.flows.documents["ad"])
    slots = [[None] * len(slot.columns) if not slot.number else [] for slot in compiled.plan.slots]
    root = compiled.plan.slots[0]
    slots[0][root.columns.index("bid")] = "1.50"
    assert compiled.arguments.keys() == {"twice"}
    assert compiled.arguments["twice"](*slots) == {"bid": Decimal("1.50")}
