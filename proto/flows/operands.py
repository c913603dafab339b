"""The values in a condition: paths, literals and functions as Python source, with their types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from proto.errors import FlowsError, ValueTypeError
from proto.flows.paths import nearest
from proto.values import coerce

_NUMBERS = ("int", "float", "decimal")


@dataclass(frozen=True, slots=True)
class Operand:
    """A value as Python source.

    code      may be evaluated only when all of `present` hold, unless `bare`
    type      a column type, or "any" (JSON, lists, and computed fields without a type)
    present   Python conditions that hold together iff the value is not NULL; () : never NULL
    bare      `code` is a name: harmless when it is None
    literal   text of an SQL literal, which may become another type; None for everything else
    sql       for error texts
    """

    code: str
    type: str
    present: tuple[str, ...] = ()
    bare: bool = False
    literal: str | None = None
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What paths stand for: path -> Python expression of its stored value; path -> column type or "any"."""

    names: Mapping[str, str]
    types: Mapping[str, str]

    def operand(self, node: exp.Expr) -> Operand:
        """Raises FlowsError for an unknown path or a function over a type that it doesn't take."""
        node = node.unnest()
        if isinstance(node, exp.Column | exp.Dot):
            return self._column(path_of(node))
        if isinstance(node, exp.Literal):
            return _literal(node.name, bool(node.is_string))
        if isinstance(node, exp.Boolean):
            return Operand(repr(node.this), "bool", sql=node.sql())
        if isinstance(node, exp.Neg):
            return _negated(self.operand(node.this))
        if isinstance(node, exp.Coalesce):
            return self._coalesce(node)
        if isinstance(node, exp.Cast):
            wanted = "date" if node.to.this == exp.DataType.Type.DATE else "datetime"
            return as_type(self.operand(node.this), wanted)
        if isinstance(node, exp.Lower | exp.Upper | exp.Length | exp.Abs):
            return self._function(node)
        raise FlowsError(f"{node.sql()} is a condition, not a value", hint="connect conditions with AND, OR, NOT")

    def _column(self, path: str) -> Operand:
        kind = self.types.get(path)
        if kind is None:
            raise FlowsError(f"there is no {path!r}", hint=nearest(path, list(self.types)))
        name = self.names[path]
        present = (f"{name} is not None",)
        if kind == "decimal":
            return Operand(f"_decimal({name})", kind, present, sql=path)
        if kind == "datetime":  # without the Z, so that 10:00:00 < 10:00:00.5 as text
            return Operand(f"{name}[:-1]", kind, present, sql=path)
        return Operand(name, "any" if kind == "json" else kind, present, bare=True, sql=path)

    def _function(self, node: exp.Func) -> Operand:
        operand = self.operand(node.this)
        takes, code, gives = _FUNCTIONS[type(node)]
        if operand.type not in takes:
            hint = f"it takes {' or '.join(takes)}"
            raise FlowsError(f"{node.key}({operand.sql}): {operand.sql} is of type {operand.type}", hint=hint)
        result = code.format(operand.code)
        return Operand(result, gives or operand.type, operand.present, sql=f"{node.key}({operand.sql})")

    def _coalesce(self, node: exp.Coalesce) -> Operand:
        operands = [self.operand(item) for item in (node.this, *node.expressions)]
        kind = operands[0]
        for operand in operands[1:]:
            kind = replace(kind if kind.literal is None else operand, type=common_type(kind, operand))
        operands = [as_type(operand, kind.type) for operand in operands]
        code = operands[-1].code
        for operand in reversed(operands[:-1]):
            code = f"({operand.code} if {conjunction(operand.present)} else {code})"
        present = () if any(not operand.present for operand in operands) else (
            "(" + " or ".join(f"({conjunction(operand.present)})" for operand in operands) + ")",
        )  # fmt: skip
        return Operand(code, kind.type, present, sql=node.sql())


def path_of(node: exp.Expr) -> str:
    """`a.b.c` of a column node."""
    return ".".join(part.name for part in node.parts)  # type: ignore[attr-defined]


def conjunction(conditions: tuple[str, ...]) -> str:
    """Python source of "all of these"."""
    return " and ".join(dict.fromkeys(conditions)) or "True"


def common_type(left: Operand, right: Operand) -> str:
    """The type in which both are compared. Raises FlowsError when there is none."""
    kinds = {left.type, right.type}
    if len(kinds) == 1:
        return left.type
    if "any" in kinds:
        return "any"
    if kinds <= set(_NUMBERS):
        floats = [operand for operand in (left, right) if operand.type == "float"]
        return "decimal" if "decimal" in kinds and all(operand.literal is not None for operand in floats) else "float"
    if kinds == {"date", "datetime"}:
        return "datetime"
    for one, other in ((left, right), (right, left)):
        if one.type == "str" and one.literal is not None and other.type in ("date", "datetime"):
            return "date" if other.type == "date" and _coerced("date", one.literal) else "datetime"
        if one.literal in ("0", "1") and one.type == "int" and other.type == "bool":
            return "bool"
    hint = "compare like with like"
    if "str" in kinds and kinds & set(_NUMBERS):
        quoted = any(operand.type == "str" and operand.literal is not None for operand in (left, right))
        hint = "numbers are written without quotes" if quoted else "text is written in single quotes, as in 'ACTIVE'"
    raise FlowsError(f"cannot compare {left.sql} ({left.type}) with {right.sql} ({right.type})", hint=hint)


def as_type(operand: Operand, kind: str) -> Operand:
    """The same value as another type, one that common_type named. Raises FlowsError for a literal that does not fit."""
    if operand.type == kind or (kind in ("any", "float") and operand.type != "decimal"):
        return replace(operand, type=kind)
    if kind == "float":
        return replace(operand, code=f"float({operand.code})", type=kind, literal=None)
    if kind == "decimal":
        code = f"_decimal({operand.literal!r})" if operand.type == "float" else operand.code
        return replace(operand, code=code, type=kind)
    if kind == "bool":
        return Operand(repr(operand.literal == "1"), kind, sql=operand.sql)
    if operand.literal is not None:
        text = _coerced(kind, operand.literal)
        if text is None:
            hint = "write 'YYYY-MM-DD'" if kind == "date" else "write 'YYYY-MM-DD HH:MM:SS'"
            raise FlowsError(f"{operand.sql} is not a {kind}", hint=hint)
        return Operand(repr(text.removesuffix("Z")), kind, sql=operand.sql)
    if (operand.type, kind) == ("date", "datetime"):
        return replace(operand, code=f"({operand.code} + 'T00:00:00')", type=kind, bare=False)
    raise FlowsError(f"{operand.sql} ({operand.type}) is not a {kind}", hint="compare like with like")


def _literal(text: str, is_text: bool) -> Operand:
    if is_text:
        return Operand(repr(text), "str", literal=text, sql=f"'{text}'")
    kind = "int" if text.isdigit() else "float"
    return Operand(repr(int(text) if kind == "int" else float(text)), kind, literal=text, sql=text)


def _negated(operand: Operand) -> Operand:
    if operand.type not in _NUMBERS:
        raise FlowsError(f"-{operand.sql}: {operand.sql} is of type {operand.type}", hint="only numbers have a sign")
    literal = operand.literal
    if literal is not None:
        literal = literal[1:] if literal.startswith("-") else f"-{literal}"
    return replace(operand, code=f"-{operand.code}", bare=False, literal=literal, sql=f"-{operand.sql}")


def _coerced(kind: str, text: str) -> str | None:
    try:
        return str(coerce(kind, text))
    except ValueTypeError:
        return None


_FUNCTIONS: dict[type[exp.Expr], tuple[tuple[str, ...], str, str]] = {
    exp.Lower: (("str",), "{}.lower()", ""),
    exp.Upper: (("str",), "{}.upper()", ""),
    exp.Length: (("str", "bytes"), "len({})", "int"),
    exp.Abs: (_NUMBERS, "abs({})", ""),
}
"""Function -> types that it takes, its code, type of its result ("": that of its argument)."""
