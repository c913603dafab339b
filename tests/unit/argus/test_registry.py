"""Bringing flows and functions together: what is refused, and in which words."""

from typing import Any

import pytest

from argus.api import Change, HandlerContext, field, handler
from argus.registry import register
from proto.errors import FlowsError
from proto.flows.loader import loads
from tests.support.argus_world import ADS_FLOWS
from tests.support.functions import module_of

PACED = ADS_FLOWS + '\n[tables.campaigns.derived]\npace = { type = "float", handler = "pace" }\n'


@field(inputs={"title": "title"}, version=1)
def loud(title: str) -> str:
    return title.upper()


@handler(observes=["campaigns.budget"], version=1)
async def pace(ctx: HandlerContext, change: Change) -> None:
    """Does nothing."""


def flows_with(entry: str) -> Any:
    return loads(ADS_FLOWS + entry + "\n")


def refused(flows: Any, *functions: Any) -> FlowsError:
    with pytest.raises(FlowsError) as caught:
        register(flows, [module_of(*functions)])
    return caught.value


def line_of(flows: Any, text: str) -> int:
    return next(number for number, line in enumerate(flows.text.splitlines(), 1) if text in line)


def test_a_missing_function_is_told_with_the_nearest_name_and_the_line() -> None:
    flows = flows_with('louder = { handler = "lout" }')
    error = refused(flows, loud)
    assert "handler 'lout' is not known" in str(error) and "did you mean 'loud'" in error.hint
    assert error.line == line_of(flows, "louder")


def test_a_module_that_is_not_there_and_a_function_that_is_not_marked() -> None:
    assert "no_such_module" in str(refused(flows_with('x = { handler = "no_such_module:f" }')))
    assert "with @field or @handler" in str(refused(flows_with('x = { handler = "argus.plan:Plan" }')))


def test_a_function_is_found_by_module_and_name() -> None:
    application = register(flows_with('loud = { handler = "functions:loud" }'), [module_of(loud)])
    assert application.fields["ad", "loud"].function is loud


def test_an_input_that_leads_nowhere() -> None:
    @field(inputs={"title": "group.titel"}, version=1)
    def wrong(title: str) -> str:
        return title

    error = refused(flows_with('wrong = { handler = "wrong" }'), wrong)
    assert "field 'wrong', input 'title'" in str(error) and "'groups' has no 'titel'" in str(error)


def test_parameters_and_inputs_must_agree() -> None:
    @field(inputs={"title": "title"}, version=1)
    def other_name(text: str) -> str:
        return text

    @field(inputs={"title": "title"}, version=1)
    def too_many(title: str, more: int) -> str:
        return title

    @field(inputs={"title": "title"}, version=1)
    async def without_context(title: str) -> str:
        return title

    @field(inputs={"title": "title"}, version=1)
    def with_default(title: str, more: int = 3, **rest: Any) -> str:
        return title

    for function in (other_name, too_many, without_context):
        error = refused(flows_with(f'x = {{ handler = "{function.__name__}" }}'), function)
        assert function.__name__ in str(error) and "the function takes (" in error.hint
    register(flows_with('x = { handler = "with_default" }'), [module_of(with_default)])


def test_a_field_is_no_handler_and_a_handler_no_field() -> None:
    assert "'pace' is not a @field" in str(refused(flows_with('x = { handler = "pace" }'), pace))
    assert "'pace' is not a @handler" in str(refused(loads(PACED), named("pace", loud)))


def named(name: str, function: Any) -> Any:
    @field(inputs=function.__adsindex__.inputs, version=1)
    def copy(title: str) -> str:
        return title

    copy.__name__ = name
    return copy


def test_a_handler_must_be_asynchronous_and_take_two_arguments() -> None:
    @handler(observes=["campaigns.budget"], version=1)
    def pace(ctx: HandlerContext, change: Change) -> None:
        """Forgot async."""

    assert "is not an async function" in str(refused(loads(PACED), pace))

    @handler(observes=["campaigns.budget"], version=1)
    async def only_one(ctx: HandlerContext) -> None:
        """Forgot change."""

    only_one.__name__ = "pace"
    assert "write: async def" in refused(loads(PACED), only_one).hint


@pytest.mark.parametrize(
    ("observed", "reason"),
    [
        ("campains.budget", "observes unknown table 'campains'"),
        ("campaigns.bugdet", "observes unknown column 'campaigns.bugdet'"),
        ("campaigns.pace", "observes 'campaigns.pace', which it writes"),
        ("campaigns", "observes 'campaigns', which it writes"),
    ],
)
def test_what_a_handler_may_not_observe(observed: str, reason: str) -> None:
    @handler(observes=[observed], version=1)
    async def pace(ctx: HandlerContext, change: Change) -> None:
        """Does nothing."""

    assert reason in str(refused(loads(PACED), pace))


def test_handlers_may_not_go_round() -> None:
    @handler(observes=["campaigns.pace"], version=1)
    async def mood(ctx: HandlerContext, change: Change) -> None:
        """Writes groups.mood."""

    @handler(observes=["groups.mood"], version=1)
    async def pace(ctx: HandlerContext, change: Change) -> None:
        """Writes campaigns.pace."""

    flows = loads(PACED + '\n[tables.groups.derived]\nmood = { type = "str", handler = "mood" }\n')
    error = refused(flows, mood, pace)
    assert "circle" in str(error) and "mood -> pace -> mood" in str(error)


def test_a_handler_without_a_column_and_one_named_in_two_ways() -> None:
    error = refused(loads(ADS_FLOWS), pace)
    assert "has no column to write" in str(error) and "[tables.TABLE.derived]" in error.hint
    twice = PACED + 'state = { type = "str", handler = "functions:pace" }\n'
    assert "named in two ways" in str(refused(loads(twice), pace))


def test_two_functions_of_one_name() -> None:
    with pytest.raises(FlowsError, match="two functions are named 'loud', in one and in two"):
        register(loads(ADS_FLOWS), [module_of(loud, name="one"), module_of(named("loud", loud), name="two")])


def test_a_document_that_is_not_there() -> None:
    @field(inputs={}, version=1, document="add")
    def lone() -> int:
        return 1

    assert "did you mean 'ad'" in refused(loads(ADS_FLOWS), lone).hint


def test_the_generation_follows_versions_and_inputs_not_comments() -> None:
    def generation(version: int, path: str, comment: str = "") -> int:
        @field(inputs={"title": path}, version=version)
        def made(title: Any) -> str:
            return str(title)

        return register(loads(ADS_FLOWS + f'made = {{ handler = "made" }} {comment}\n'), [module_of(made)]).generation

    assert generation(1, "title") == generation(1, "title", "# why")
    assert len({generation(1, "title"), generation(2, "title"), generation(1, "bid")}) == 3
