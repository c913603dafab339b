"""Conditions: what they compile to, what they refuse."""

import pytest

from proto.errors import FlowsError
from proto.flows.conditions import NAMESPACE, parse

TYPES = {
    "status": "str", "title": "str", "bid": "int", "rate": "float", "price": "decimal", "active": "bool",
    "day": "date", "at": "datetime", "raw": "bytes", "tags": "json", "score": "any",
    "ad_group.campaign.status": "str", "Order ID": "int",
}  # fmt: skip


def evaluate(expression: str, **values: object) -> bool | None:
    condition = parse(expression)
    return condition.compile(TYPES)([values.get(path.replace(".", "_").replace(" ", "_")) for path in condition.paths])


def test_paths_are_distinct_and_in_order() -> None:
    condition = parse("status = 'A' and ad_group.campaign.status = 'A' or bid > 3 and status <> 'B'")
    assert condition.paths == ("status", "ad_group.campaign.status", "bid")


def test_a_path_may_be_longer_than_sql_knows() -> None:
    assert parse("a.b.c.d.e.f is null").paths == ("a.b.c.d.e.f",)


def test_words_of_sql_are_names_too() -> None:
    condition = parse("order.status = 'A' and group.end > '2026-01-01' and comment is null and \"Order ID\" = 1")
    assert condition.paths == ("order.status", "group.end", "comment", "Order ID")


def test_plain_conditions_compile_to_plain_python() -> None:
    source = parse("status = 'ACTIVE' and bid > 3").python({"status": "row[0]", "bid": "row[1]"}, TYPES)
    assert source == "((row[0] == 'ACTIVE') and (row[1] is not None and row[1] > 3))"
    assert eval(source, {**NAMESPACE, "row": ["ACTIVE", 4]}) is True
    assert eval(source, {**NAMESPACE, "row": ["ACTIVE", None]}) is False


def test_canonical_ignores_spelling_but_not_text() -> None:
    assert parse("status='A'  AND bid>1 -- live").canonical == parse("status = 'A' and\n bid > 1").canonical
    assert parse("status = 'A  B'").canonical != parse("status = 'A B'").canonical


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("price = 1.5", {"price": "1.50"}, True),
        ("price > 9", {"price": "10"}, True),
        ("price in (1, 2.50)", {"price": "2.5"}, True),
        ("price = rate", {"price": "0.10", "rate": 0.1}, True),
        ("price = -(-1.5)", {"price": "1.5"}, True),
        ("abs(price) < 2", {"price": "-1.99"}, True),
        ("day = '2026-01-31'", {"day": "2026-01-31"}, True),
        ("day < '2026-01-31 10:00'", {"day": "2026-01-31"}, True),
        ("day >= at", {"day": "2026-01-31", "at": "2026-01-31T00:00:00Z"}, True),
        ("at > '2026-01-31'", {"at": "2026-01-31T00:00:00.000001Z"}, True),
        ("at < '2026-01-31 10:00:00.5'", {"at": "2026-01-31T10:00:00Z"}, True),
        ("at = timestamp '2026-01-31 11:00:00+01:00'", {"at": "2026-01-31T10:00:00Z"}, True),
        ("active", {"active": True}, True),
        ("not active", {"active": None}, None),
        ("active = 1", {"active": True}, True),
        ("active is not true", {"active": None}, True),
        ("(bid > 1) is null", {"bid": None}, True),
        ("title like 'a_c%'", {"title": "ABC\ndef"}, True),
        ("title like 'ä%'", {"title": "Ä"}, False),
        ("title like '10!%' escape '!'", {"title": "10%"}, True),
        ("title not like 'x%'", {"title": "y"}, True),
        ("title not like 'x%' escape '!'", {"title": "xy"}, False),
        ("title like 'x!' escape '!'", {"title": "x!"}, False),
        ("tags is not null", {"tags": [1]}, True),
        ("score > 3", {"score": 4.5}, True),
        ("score > 3", {"score": "12.50"}, True),
        ("score > 3", {"score": "many"}, None),
        ("score > 3", {"score": ["many"]}, None),
        ("score like 'x%'", {"score": 5}, None),
        ("length(raw) = 2", {"raw": b"ab"}, True),
        ("coalesce(status, title, 'x') = 'x'", {}, True),
        ("true", {}, True),
    ],
)
def test_evaluates(expression: str, values: dict[str, object], expected: bool | None) -> None:
    assert evaluate(expression, **values) is expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "can't be parsed"),
        ("status = ", "missing at '='"),
        ("status = 'A' bid", "Unexpected token at 'bid'"),
        ("status = 'A'; bid = 1", "not supported"),
        ("select 1", "at 'select'"),
        ("bid in (select 1)", "IN needs a list of values"),
        ("bid + 1 = 2", "bid + 1 is not supported"),
        ("count(*) > 1", "not supported"),
        ("cast(bid as text) = '1'", "not supported"),
        ("(" * 3000 + "active" + ")" * 3000, "nested too deep"),
        ("at < current_timestamp", "depends on the time"),
        ("at < now()", "depends on the time"),
        ("status = null", "never true. Hint: write IS NULL"),
        ("status not in ('A', null)", "write IS NULL"),
        ("stats = 'A'", "there is no 'stats'. Hint: did you mean 'status'?"),
        ('status = "ACTIVE"', "text is written in single quotes: 'ACTIVE'"),
        ("bid = '5'", "cannot compare bid (int) with '5' (str). Hint: numbers are written without quotes"),
        ("bid in (select 1 from x)", "IN needs"),
        ("bid between symmetric 3 and 1", "symmetric in"),
        ("active = 2", "cannot compare active (bool) with 2 (int)"),
        ("day = 'yesterday'", "'yesterday' is not a date"),
        ("status", "status (str) is not a condition"),
        ("bid > 1 > 0", "is a condition, not a value"),
        ("lower(bid) = 'x'", "bid is of type int. Hint: it takes str"),
        ("bid like '1%'", "LIKE compares text"),
        ("title like 'x' escape 'ab'", "ESCAPE takes one character"),
        ("-status = 1", "only numbers have a sign"),
        ("status is bid", "not supported"),
    ],
)  # fmt: skip
def test_refuses(expression: str, message: str) -> None:
    with pytest.raises(FlowsError) as raised:
        evaluate(expression)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 400
