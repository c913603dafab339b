"""Compiles a document type, once, into one Python function from slot values to field values.

Copying 100 fields by interpretation costs more than reading the rows; a tuple display over list positions costs two
microseconds. The source text is made from the flows file's validated names only (positions and numbered helpers),
never from their contents.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from argus.api import FieldSpec
from argus.branches import Branch
from argus.fetch import row_maker
from argus.memo import Memo
from argus.plan import OWN, Node, Plan, Slot
from argus.registry import Application
from argus.results import INT64, plain_classes, result_check
from proto.flows.conditions import parse
from proto.flows.model import Document, Field, Flows, Signal
from proto.flows.paths import Path, resolve
from proto.values import CONVERT


@dataclass(frozen=True, slots=True)
class Compiled:
    """A document type ready to build.

    names     its fields: those of each branch alone, then the others; the values of asynchronous fields come from
              `asynchronous` and stand last
    compute   slot values of one document, then values of each of its signals -> (field values, servable)
    parts     field -> a function of the same arguments that computes it alone, to find out which one fails
    arguments computed field -> a function of the same arguments: what its own function is called with, by name
    servable  a function of the same arguments: the condition alone
    asynchronous   fields that read rows themselves, with a function from slot values to their keyword arguments
    of_branch number of a branch -> a function of its Branch: values of the fields that depend on it alone
    of_rest   a function of the slots in no branch, of the branches, of the signals -> (values of the others, servable)
    """

    document: Document
    plan: Plan
    names: tuple[str, ...]
    compute: Callable[..., tuple[tuple[Any, ...], bool]]
    parts: dict[str, Callable[..., Any]]
    arguments: dict[str, Callable[..., dict[str, Any]]]
    servable: Callable[..., bool]
    asynchronous: tuple[tuple[FieldSpec, Callable[..., dict[str, Any]]], ...]
    of_branch: dict[int, Callable[[Branch], tuple[Any, ...]]]
    of_rest: Callable[..., tuple[tuple[Any, ...], bool]]


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes expressions over the arguments of Compiled.compute or, by_branch, of those of of_branch and of_rest.

    plan     gets room for each path that is written
    helpers  values that expressions name, by name
    """

    flows: Flows
    plan: Plan
    helpers: dict[str, Any]
    by_branch: bool

    def helper(self, value: Any) -> str:
        name = f"h{len(self.helpers)}"
        self.helpers[name] = value
        return name

    def path(self, text: str) -> Path:
        """From the document's root."""
        return resolve(self.flows, self.plan.root.table.name, text)

    def stored(self, text: str) -> str:
        """The stored value at a path: what a plain copy takes over."""
        path = self.path(text)
        if path.signal is not None:
            assert path.column is not None
            return f"g{self.plan.add_signal(path.signal)}[{list(path.signal.fields).index(path.column.name)}]"
        node, slot, at = self.plan.add(path)
        assert slot is not None
        name = self.slot(slot)
        return f"[r[{at}] for r in {name}]" if node.many else f"{name}[{at}]"

    def slot(self, slot: Slot) -> str:
        """The values of one slot."""
        return f"b{slot.branch}[{slot.at}]" if self.by_branch and slot.branch != OWN else f"s{slot.number}"

    def python(self, text: str) -> str:
        """The value at a path as a function gets it."""
        path = self.path(text)
        if path.column is None:
            return self._rows(self.plan.add(path)[0]) if path.signal is None else self._reading(path.signal)
        convert = CONVERT.get(path.column.type)
        if convert is None:
            return self.stored(text)
        name = self.helper(convert)
        if path.many:
            return f"[None if v is None else {name}(v) for v in {self.stored(text)}]"
        return f"(None if (v := {self.stored(text)}) is None else {name}(v))"

    def arguments(self, spec: FieldSpec) -> str:
        return ", ".join(f"{parameter}={self.python(path)}" for parameter, path in spec.inputs.items())

    def checked(self, spec: FieldSpec, name: str) -> str:
        """The stored form of what a field's function returns. Most are stored as they are: no call for these."""
        call = f"{self.helper(spec.function)}({self.arguments(spec)})"
        plain = plain_classes(spec, name)
        small = f" or type(v) is int and {-INT64} <= v < {INT64}" if int in plain else ""
        as_it_is = f"type(v := {call}) in {self.helper(plain - {int})}{small}"
        return f"(v if {as_it_is} else {self.helper(result_check(spec, name))}(v))"

    def branch(self, paths: Iterable[str]) -> int:
        """The branch that is all that these depend on; OWN: none."""
        found = set()
        for text in paths:
            path = self.path(text)
            found.add(OWN if path.signal is not None else self.plan.add(path)[0].branch)
        return found.pop() if len(found) == 1 else OWN

    def shared_slots(self, spec: FieldSpec) -> list[Slot]:
        """The slots that a field depends on, if several documents share all of them; else none."""
        slots: dict[int, Slot] = {}
        for text in spec.inputs.values():
            path = self.path(text)
            if path.signal is not None:
                return []
            node, slot, _ = self.plan.add(path)
            if node.parent is None or node.many:
                return []
            slots.update({each.number: each for each in ([slot] if slot else node.slots.values())})
        return [slots[number] for number in sorted(slots)]

    def _reading(self, signal: Signal) -> str:
        name = self.helper(reading_maker(signal))
        return f"{name}(g{self.plan.add_signal(signal)})"

    def _rows(self, node: Node) -> str:
        slots = list(node.slots.values())
        columns = [name for slot in slots for name in slot.columns]
        kinds = [node.table.columns[name].type for name in columns]
        key = columns.index(node.table.key[0])
        name = self.helper(_joined_row_maker(columns, kinds, key))
        arguments = ", ".join(map(self.slot, slots))
        return f"[{name}(*parts) for parts in zip({arguments}, strict=True)]" if node.many else f"{name}({arguments})"


def compile_document(application: Application, document: Document) -> Compiled:
    """Raises FlowsError for a path or a condition that does not resolve."""
    plan = Plan(application.flows, document.root)
    writer = _Writer(application.flows, plan, {}, by_branch=False)
    specs = {name: application.fields.get((document.name, name)) for name in document.fields}
    later = {name: spec for name, spec in specs.items() if spec is not None and spec.asynchronous}
    arguments = {name: f"dict({writer.arguments(spec)})" for name, spec in specs.items() if spec is not None}
    branches = {
        name: writer.branch(spec.inputs.values() if spec else [document.fields[name].path])
        for name, spec in specs.items()
        if name not in later
    }
    names = sorted(branches, key=lambda name: (branches[name] == OWN, branches[name]))  # stable: else as in the file
    expressions = {name: _expression(writer, document.fields[name], specs[name]) for name in names}
    servable = _condition(document, writer)
    # Not before all is written: only now the plan has all slots and signals.
    make = _maker([*(f"s{slot.number}" for slot in plan.slots), *_signals(plan)], writer.helpers)
    called_with = {name: make(text) for name, text in arguments.items()}
    return Compiled(
        document,
        plan,
        (*names, *later),
        make(f"{_tuple(expressions.values())}, {servable}"),
        {name: make(text) for name, text in expressions.items()},
        called_with,
        make(servable),
        tuple((spec, called_with[name]) for name, spec in later.items()),
        *_by_branch(replace(writer, by_branch=True), document, specs, {name: branches[name] for name in names}),
    )


def _by_branch(
    writer: _Writer, document: Document, specs: Mapping[str, FieldSpec | None], branches: Mapping[str, int]
) -> tuple[dict[int, Callable[[Branch], tuple[Any, ...]]], Callable[..., tuple[tuple[Any, ...], bool]]]:
    """See Compiled.of_branch and of_rest. branches: of the fields, in order."""
    plan = writer.plan
    texts: dict[int, list[str]] = {OWN: []}
    for name, branch in branches.items():
        texts.setdefault(branch, []).append(_expression(writer, document.fields[name], specs[name]))
    rest, servable = texts.pop(OWN), _condition(document, writer)
    own = [f"s{slot.number}" for slot in plan.slots if slot.branch == OWN]
    make = _maker([*own, *(f"b{number}" for number in range(len(plan.branches))), *_signals(plan)], writer.helpers)
    of_branch = {
        number: _maker([f"b{number}"], writer.helpers)(_tuple(expressions)) for number, expressions in texts.items()
    }
    return of_branch, make(f"{_tuple(rest)}, {servable}")


def _expression(writer: _Writer, field: Field, spec: FieldSpec | None) -> str:
    """The value of a field. Where a function depends on rows that documents share alone, it is called once for each of
    these."""
    if spec is None:
        return writer.stored(field.path)
    slots = writer.shared_slots(spec)
    if not slots:
        return writer.checked(spec, field.name)
    checked = replace(writer, by_branch=False).checked(spec, field.name)
    memo = Memo(_maker([f"s{slot.number}" for slot in slots], writer.helpers)(checked))
    return f"{writer.helper(memo)}({', '.join(map(writer.slot, slots))})"


def _signals(plan: Plan) -> list[str]:
    return [f"g{number}" for number in range(len(plan.signals))]


def _tuple(expressions: Iterable[str]) -> str:
    return f"({''.join(f'{text}, ' for text in expressions)})"


def _maker(parameters: Sequence[str], helpers: dict[str, Any]) -> Callable[[str], Callable[..., Any]]:
    def make(expression: str) -> Callable[..., Any]:
        function: Callable[..., Any] = eval(f"lambda {', '.join(parameters)}: ({expression})", dict(helpers))
        return function

    return make


def _condition(document: Document, writer: _Writer) -> str:
    """Whether the document may be served; three-valued: NULL is no."""
    if not document.servable:
        return "True"
    condition = parse(document.servable)
    kinds = {text: path.column.type for text in condition.paths if (path := writer.path(text)).column is not None}
    name = writer.helper(condition.compile(kinds))
    return f"({name}({_tuple(map(writer.stored, condition.paths))}) is True)"


def _joined_row_maker(columns: Sequence[str], kinds: Sequence[str], key: int) -> Callable[..., dict[str, Any] | None]:
    row = row_maker(columns, kinds)

    def make(*parts: Sequence[Any]) -> dict[str, Any] | None:
        values = list(chain.from_iterable(parts))
        return None if values[key] is None else row(values)

    return make


def reading_maker(signal: Signal) -> Callable[[Sequence[Any]], dict[str, Any] | None]:
    """What a function gets for a whole signal: field -> value; None when nothing is known about the key."""
    nothing = (None,) * len(signal.fields)
    row = row_maker(tuple(signal.fields), tuple(signal.fields.values()))

    def make(values: Sequence[Any]) -> dict[str, Any] | None:
        return None if tuple(values) == nothing else row(values)

    return make
