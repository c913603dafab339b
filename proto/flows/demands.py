"""What a condition demands, part by part, in words: for whoever asks why it does not hold."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlglot import exp

from proto.flows.conditions import Condition, parse

_Node = exp.Expr


class Part(NamedTuple):
    """One of the conditions that AND connects. demand: what its one path must be, "must be ACTIVE"; "" when it says
    more than that."""

    condition: Condition
    demand: str


def parts_of(condition: Condition) -> list[Part]:
    """All of them must be true."""
    return [Part(parse(node.sql(dialect="sqlite")), _demand(node)) for node in _conjuncts(condition.tree)]


def _conjuncts(node: _Node) -> Iterator[_Node]:
    bare = _bare(node)
    if isinstance(bare, exp.And):
        for part in bare.flatten():
            yield from _conjuncts(part)
    else:
        yield bare


def _demand(node: _Node) -> str:
    if isinstance(node, exp.Not):
        return _denied(_bare(node.this))
    if _is_path(node):
        return "must be true"
    subject = _bare(node.this) if isinstance(node.args.get("this"), exp.Expr) else None
    if subject is None or not _is_path(subject):
        return ""
    say = _WORDS.get(type(node))
    return say(node) if say is not None else ""


def _denied(node: _Node) -> str:
    if _is_path(node):
        return "must be false"
    if not _is_path(_bare(node.this)):
        return ""
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return "must be set"
    if isinstance(node, exp.In):
        return f"must be none of {_list(node)}"
    return f"must not be {_shown(node.expression)}" if isinstance(node, exp.EQ) else ""


def _list(node: _Node) -> str:
    return ", ".join(_shown(item) for item in node.expressions)


def _shown(node: _Node) -> str:
    """A literal without its quotes, the rest as it is written."""
    return node.name if isinstance(node, exp.Literal) else node.sql(dialect="sqlite")


def _bare(node: _Node) -> _Node:
    return node.unnest()


def _is_path(node: _Node) -> bool:
    return isinstance(node, exp.Column | exp.Dot)


def _is(node: _Node) -> str:
    return "must be empty (NULL)" if isinstance(node.expression, exp.Null) else f"must be {_shown(node.expression)}"


_WORDS: dict[type[_Node], Callable[[_Node], str]] = {
    exp.EQ: lambda node: f"must be {_shown(node.expression)}",
    exp.NEQ: lambda node: f"must not be {_shown(node.expression)}",
    exp.GT: lambda node: f"must be above {_shown(node.expression)}",
    exp.GTE: lambda node: f"must be at least {_shown(node.expression)}",
    exp.LT: lambda node: f"must be below {_shown(node.expression)}",
    exp.LTE: lambda node: f"must be at most {_shown(node.expression)}",
    exp.In: lambda node: f"must be one of {_list(node)}",
    exp.Between: lambda node: f"must be between {_shown(node.args['low'])} and {_shown(node.args['high'])}",
    exp.Is: _is,
    exp.Like: lambda node: f"must {'not ' if node.args.get('negate') else ''}be like {_shown(node.expression)}",
}
