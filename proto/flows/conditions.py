"""Conditions: SQL expressions over dotted paths, parsed once by sqlglot and compiled to Python.

Logic is three-valued, as in SQL: a comparison with NULL is neither true nor false. So a condition compiles to two
Python expressions, "it is true" and "it is false"; when neither holds it is NULL. In the usual cases they contain no
call: `status = 'ACTIVE' and age > 3` is `r[0] == 'ACTIVE' and (r[1] is not None and r[1] > 3)`.

Where databases differ, conditions follow SQLite: LIKE ignores the case of ASCII letters, text compares by code point.
Decimals compare as numbers, dates and datetimes as points in time (UTC); a date is its midnight.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from proto.errors import FlowsError
from proto.flows.operands import Scope, path_of
from proto.flows.predicates import compare_any, is_false, is_true, like
from proto.values import Stored

NAMESPACE: Mapping[str, object] = {"_decimal": Decimal, "_like": like, "_compare": compare_any}
"""Globals that the source of `Condition.python` needs."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed expression. paths: the distinct paths in it, in order; canonical: the same text for the same meaning."""

    text: str
    paths: tuple[str, ...]
    canonical: str
    tree: exp.Expr = field(repr=False, compare=False)

    def python(self, names: Mapping[str, str], types: Mapping[str, str], outcome: bool = True) -> str:
        """Python source, in parentheses, of a bool: the condition's outcome is `outcome` (so NULL is not true).

        names   path -> Python expression of its stored value; evaluated more than once, so a local or a subscript
        types   path -> its column type, or "any" (lists, computed fields): compared as far as the values allow
        Needs NAMESPACE as globals. Raises FlowsError for a path that `types` lacks and for types that don't compare.
        """
        self._check_paths(types)
        return f"({(is_true if outcome else is_false)(self.tree, Scope(names, types))})"

    def compile(self, types: Mapping[str, str]) -> Callable[[Sequence[Stored]], bool | None]:
        """A function from the values of `paths`, in that order, to True, False or None (NULL)."""
        names = {path: f"v[{at}]" for at, path in enumerate(self.paths)}
        true, false = self.python(names, types), self.python(names, types, outcome=False)
        source = f"lambda v: True if {true} else False if {false} else None"
        function: Callable[[Sequence[Stored]], bool | None] = eval(source, dict(NAMESPACE))
        return function

    def is_quoted(self, path: str) -> bool:
        """It stands in double quotes: perhaps somebody meant a text."""
        return any(path_of(node) == path and _is_quoted(node) for node in _columns(self.tree))

    def _check_paths(self, types: Mapping[str, str]) -> None:
        for node in _columns(self.tree):
            path = path_of(node)
            if path not in types and _is_quoted(node):
                raise FlowsError(f"there is no {path!r}", hint=f"text is written in single quotes: '{path}'")


def parse(expression: str) -> Condition:
    """Raises FlowsError (without file and line) for bad syntax and for SQL that a condition can't have."""
    try:
        tree = sqlglot.parse_one(expression, read="sqlite", into=exp.Condition)
    except (SqlglotError, RecursionError) as error:
        raise FlowsError(f"{_shown(expression)}: {_reason(error)}", hint=f"{_HINT}; {_QUOTES}") from None
    _check(tree, expression)
    canonical = tree.sql(dialect="sqlite", comments=False)
    return Condition(expression, tuple(dict.fromkeys(map(path_of, _columns(tree)))), canonical, tree)


_SUPPORTED = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In,
    exp.Is, exp.Like, exp.Escape, exp.Null, exp.Boolean, exp.Literal, exp.Neg, exp.Column, exp.Dot, exp.Lower,
    exp.Upper, exp.Coalesce, exp.Length, exp.Abs, exp.Cast,
)  # fmt: skip
_CLOCK = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime)
_HINT = "a condition has = <> < <= > >= AND OR NOT IN BETWEEN LIKE IS NULL, lower upper coalesce length abs, and 'text'"


_QUOTES = 'names that are words of SQL, or hold spaces, in double quotes: "from", brand."order"'


def _check(node: exp.Expr, expression: str) -> None:
    """Refuses what has no meaning here, before anybody looks for the paths in it."""
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if isinstance(node, _CLOCK) or name in ("now", "date", "datetime"):
        hint = "a document is not built again because time passes; copy the date, and compare where it is read"
        raise FlowsError(f"{_shown(expression)} depends on the time", hint=hint)
    if isinstance(node, exp.Null) and not isinstance(node.parent, exp.Is):
        raise FlowsError(f"{_shown(expression)}: a comparison with NULL is never true", hint="write IS NULL")
    literal_cast = isinstance(node, exp.Cast) and node.this.is_string and node.to.this in _DATE_TYPES
    if not isinstance(node, _SUPPORTED) or (isinstance(node, exp.Cast) and not literal_cast) or node.find(exp.Star):
        raise FlowsError(f"{_shown(expression)}: {node.sql()} is not supported", hint=_HINT)
    if isinstance(node, exp.In) and not node.expressions:
        raise FlowsError(f"{_shown(expression)}: IN needs a list of values", hint="write IN ('a', 'b')")
    if isinstance(node, exp.Column | exp.Dot | exp.Cast):
        return
    odd = [name for name, value in node.args.items() if value and name not in _KNOWN_PARTS]
    if odd:  # ignored, it would silently change the meaning
        raise FlowsError(f"{_shown(expression)}: {odd[0]} in {node.sql()} is not supported", hint=_HINT)
    for child in node.iter_expressions():
        _check(child, expression)


_KNOWN_PARTS = ("this", "expression", "expressions", "low", "high", "is_string", "negate")
_DATE_TYPES = (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.DATETIME)


def _columns(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Column | exp.Dot):
        yield node
    else:
        for child in node.iter_expressions():
            yield from _columns(child)


def _is_quoted(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and len(node.parts) == 1 and bool(node.this.args.get("quoted"))


def _shown(expression: str) -> str:
    return f"condition {expression if len(expression) <= 80 else expression[:80] + '...'!r}"


def _reason(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if details and details[0].get("description"):
        return f"{details[0]['description'].split(' for <class')[0]} at {details[0]['highlight']!r}"
    return "it is nested too deep" if isinstance(error, RecursionError) else "it can't be parsed"
