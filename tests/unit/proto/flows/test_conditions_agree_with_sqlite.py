"""Three-valued logic: conditions and SQLite give the same answer for random expressions over random rows."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.flows.conditions import parse

TYPES = {"i": "int", "k": "int", "f": "float", "s": "str", "t": "str", "b": "bool", "d": "date", "n": "decimal"}
TEXTS = ["", "a", "A", "ab", "b%", "a_c", "ÄB", "it's", "😀"]
DATES = ["0001-01-01", "2026-01-31", "2026-02-01", "9999-12-31"]

ROWS = st.fixed_dictionaries({
    "i": st.none() | st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1]),
    "k": st.none() | st.integers(-3, 3),
    "f": st.none() | st.sampled_from([-1.5, 0.0, 0.1, 2.0, 1e300]),
    "s": st.none() | st.sampled_from(TEXTS),
    "t": st.none() | st.sampled_from(TEXTS),
    "b": st.none() | st.booleans(),
    "d": st.none() | st.sampled_from(DATES),
    "n": st.none() | st.sampled_from(["-2", "0", "0.5", "10", "9.75"]),
})  # fmt: skip


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


INTEGERS = st.sampled_from(["i", "k", "-k", "abs(k)", "length(s)", "coalesce(i, k)", "coalesce(k, 2)", "0", "-1", "2"])
NUMBERS = INTEGERS | st.sampled_from(["f", "n", "-f", "abs(n)", "0.5", "2.0", "coalesce(n, 10)", "coalesce(f, k, 1)"])
STRINGS = st.sampled_from(["s", "t", "coalesce(s, t)", "coalesce(t, 'a')"]) | st.sampled_from(TEXTS).map(quoted)
DAYS = st.sampled_from(["d", "coalesce(d, '2026-02-01')"])  # two literals alone would compare as text
BOOLEANS = st.sampled_from(["b", "coalesce(b, true)", "true", "false"])
COMPARATORS = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "!=", "=="])


def comparisons(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds("{} {} {}".format, values, COMPARATORS, values)
        | st.builds("{} between {} and {}".format, values, values, values)
        | st.builds("{} not between {} and {}".format, values, values, values)
        | st.builds("{} in ({}, {})".format, values, values, values)
        | st.builds("{} not in ({})".format, values, values)
        | st.builds("{} is null".format, values)
        | st.builds("{} is not null".format, values)
    )


PATTERNS = st.sampled_from(["'%'", "'a%'", "'_'", "'%B'", "'a!_c'", "'!%'", "s", "t"])
CONDITIONS = st.recursive(
    comparisons(NUMBERS)
    | comparisons(STRINGS)
    | comparisons(DAYS | st.sampled_from(DATES).map(quoted)).filter(lambda text: "d" in text.replace("and", ""))
    | st.builds("{} {} {}".format, BOOLEANS, st.sampled_from(["=", "<>"]), BOOLEANS)
    | BOOLEANS
    | st.builds("{} like {}".format, STRINGS, PATTERNS)
    | st.builds("{} not like {} escape '!'".format, STRINGS, PATTERNS.filter(lambda pattern: len(pattern) > 1)),
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("not ({})".format, inner)
        | st.builds("({}) is {}".format, inner, st.sampled_from(["null", "not null", "true", "not true", "false"]))
        | st.builds("{} and {} or {}".format, inner, inner, inner).map(lambda text: f"({text})")
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def sqlite() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table r (i integer, k integer, f real, s text, t text, b boolean, d date, n numeric)")
    yield connection
    connection.close()


@settings(max_examples=600, deadline=None)
@given(expression=CONDITIONS, row=ROWS)
def test_same_answer(sqlite: sqlite3.Connection, expression: str, row: dict[str, Any]) -> None:
    sqlite.execute("delete from r")
    sqlite.execute("insert into r values (:i, :k, :f, :s, :t, :b, :d, :n)", row)
    (answer,) = sqlite.execute(f"select {expression} from r").fetchone()
    condition = parse(expression)
    values = [row[path] for path in condition.paths]
    assert condition.compile(TYPES)(values) is (None if answer is None else bool(answer))


def test_the_inline_source_is_true_only_when_the_condition_is(sqlite: sqlite3.Connection) -> None:
    condition = parse("s = 'a' or not (k > 1)")
    source = condition.python({"s": "x", "k": "y"}, TYPES)
    answers = [(x, y, eval(source, {"x": x, "y": y})) for x in ("a", "b", None) for y in (1, 2, None)]
    for x, y, answer in answers:
        assert answer is (sqlite.execute("select ? = 'a' or not (? > 1)", (x, y)).fetchone()[0] == 1)
