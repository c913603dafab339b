"""Conditions as Python source: when is an SQL expression true, when is it false (when neither: NULL)."""

import operator
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sqlglot import exp

from proto.errors import FlowsError
from proto.flows.operands import Operand, Scope, as_type, common_type, conjunction


def is_true(node: exp.Expr, scope: Scope) -> str:
    """Python source that is True iff `node` is true."""
    return _outcome(node, scope, True)


def is_false(node: exp.Expr, scope: Scope) -> str:
    """Python source that is True iff `node` is false."""
    return _outcome(node, scope, False)


def like(pattern: str, escape: str, text: str) -> bool:
    """SQL's LIKE, ignoring the case of ASCII letters."""
    return _like_pattern(pattern, escape).fullmatch(text) is not None


def compare_any(symbol: str, left: Any, right: Any) -> bool | None:
    """Compares values whose types are not known: text with a number as a number; None where that makes no sense."""
    if left is None or right is None:
        return None
    try:
        if isinstance(left, str) is not isinstance(right, str):
            left, right = (Decimal(item) if isinstance(item, str) else item for item in (left, right))
        result: bool = _OPERATORS[symbol](left, right)
        return result
    except (TypeError, ValueError, InvalidOperation):
        return None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_SYMBOLS: dict[type[exp.Expr], str] = {
    exp.EQ: "==", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip


def _outcome(node: exp.Expr, scope: Scope, wanted: bool) -> str:
    node = node.unnest()
    if isinstance(node, exp.And | exp.Or):
        parts = [_outcome(part, scope, wanted) for part in node.flatten()]
        return _joined(parts, "and" if isinstance(node, exp.And) is wanted else "or")
    if isinstance(node, exp.Not):
        return _outcome(node.this, scope, not wanted)
    if type(node) in _SYMBOLS:
        left, right = scope.operand(node.this), scope.operand(node.expression)
        return _comparison(_SYMBOLS[type(node)], left, right, wanted)
    if isinstance(node, exp.Between):
        value = scope.operand(node.this)
        bounds = ((">=", scope.operand(node.args["low"])), ("<=", scope.operand(node.args["high"])))
        return _joined(
            [_comparison(symbol, value, bound, wanted) for symbol, bound in bounds], "and" if wanted else "or"
        )
    if isinstance(node, exp.In):
        value = scope.operand(node.this)
        return _membership(value, [scope.operand(item) for item in node.expressions], wanted)
    if isinstance(node, exp.Is):
        return _is(node, scope, wanted)
    if isinstance(node, exp.Like | exp.Escape):
        return _like(node, scope, wanted)
    return _bare_value(scope.operand(node), wanted)


def _joined(parts: list[str], word: str) -> str:
    return f" {word} ".join(f"({part})" for part in dict.fromkeys(parts))


def _comparison(symbol: str, left: Operand, right: Operand, wanted: bool) -> str:
    kind = common_type(left, right)
    if kind == "any":
        return f"_compare({symbol!r}, {left.code}, {right.code}) is {wanted}"
    left, right = as_type(left, kind), as_type(right, kind)
    effective = symbol if wanted else _OPPOSITE[symbol]
    test = f"{left.code} {effective} {right.code}"
    harmless = effective == "==" and ((left.bare and not right.present) or (right.bare and not left.present))
    return test if harmless else conjunction((*left.present, *right.present, test))


def _membership(value: Operand, items: list[Operand], wanted: bool) -> str:
    kinds = {common_type(value, item) for item in items}
    if len(kinds) == 1 and kinds != {"any"} and not any(item.present for item in items):
        (kind,) = kinds
        value = as_type(value, kind)
        codes = ", ".join(as_type(item, kind).code for item in items)
        test = f"{value.code} {'in' if wanted else 'not in'} ({codes},)"
        return test if value.bare and wanted else conjunction((*value.present, test))
    return _joined([_comparison("==", value, item, wanted) for item in items], "or" if wanted else "and")


def _is(node: exp.Is, scope: Scope, wanted: bool) -> str:
    subject = node.this.unnest()
    if isinstance(node.expression, exp.Boolean):
        test = _outcome(subject, scope, bool(node.expression.this))
        return test if wanted else f"not ({test})"
    if isinstance(
        subject, exp.Predicate | exp.Connector | exp.Not | exp.Escape
    ):  # (a > 1) IS NULL: neither true nor false
        known = f"({is_true(subject, scope)}) or ({is_false(subject, scope)})"
    else:
        known = conjunction(scope.operand(subject).present)
    return f"not ({known})" if wanted else known


def _like(node: exp.Expr, scope: Scope, wanted: bool) -> str:
    escape = ""
    if isinstance(node, exp.Escape):
        escape, node = node.expression.name, node.this
        if len(escape) != 1 or not isinstance(node, exp.Like):
            raise FlowsError(f"{node.sql()}: ESCAPE takes one character", hint="write LIKE '10!%' ESCAPE '!'")
    wanted = wanted is not bool(node.args.get("negate"))  # NOT LIKE is one node, unlike NOT IN
    value, pattern = scope.operand(node.this), scope.operand(node.expression)
    for operand in (value, pattern):
        if operand.type not in ("str", "any"):
            raise FlowsError(f"LIKE compares text; {operand.sql} is of type {operand.type}", hint="use = < > instead")
    texts = tuple(f"isinstance({item.code}, str)" for item in (value, pattern) if item.type == "any")
    test = f"{'' if wanted else 'not '}_like({pattern.code}, {escape!r}, {value.code})"
    return conjunction((*value.present, *pattern.present, *texts, test))


def _bare_value(operand: Operand, wanted: bool) -> str:
    if operand.type not in ("bool", "any"):
        raise FlowsError(f"{operand.sql} ({operand.type}) is not a condition", hint=f"write {operand.sql} = ...")
    if operand.code in ("True", "False"):
        return str((operand.code == "True") is wanted)
    test = f"{operand.code} is {wanted}"
    return test if operand.bare else conjunction((*operand.present, test))


@lru_cache(maxsize=1024)
def _like_pattern(pattern: str, escape: str) -> re.Pattern[str]:
    """`%` any text, `_` one character; a pattern that ends with its escape character matches nothing."""
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            literal = next(characters, None)
            parts.append(r"(?!)" if literal is None else re.escape(literal))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.compile("".join(parts), re.IGNORECASE | re.ASCII | re.DOTALL)
