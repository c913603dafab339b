"""Paths: `ad_group.campaign.daily_budget_micros` from a table along references and collections to a column, a row or
rows; `signals.performance.ctr` to what a signal says about the document."""

from dataclasses import dataclass
from difflib import get_close_matches

from proto.errors import FlowsError
from proto.flows.model import Collection, Column, Flows, Reference, Signal, Table
from proto.lane import Lane

Hop = Reference | Collection

SIGNALS = "signals"
"""What a path to a signal begins with."""


@dataclass(frozen=True, slots=True)
class Path:
    """A resolved path. column None: it ends at a row (or at rows, when a collection is among the hops).

    signal: what it leads to, instead of a table; column: one of its fields; None: all of them.
    """

    text: str
    root: str
    hops: tuple[Hop, ...]
    table: Table
    column: Column | None
    signal: Signal | None = None

    @property
    def many(self) -> bool:
        """A collection is among the hops: the value is a list."""
        return any(isinstance(hop, Collection) for hop in self.hops)


def resolve(flows: Flows, root: str, text: str) -> Path:
    """`text` from table `root`. Raises FlowsError that names the part that is unknown, and what there is instead."""
    table = flows.tables[root]
    hops: list[Hop] = []
    parts = text.split(".")
    for index, part in enumerate(parts):
        hop = table.references.get(part) or table.collections.get(part)
        if hop is not None:
            hops.append(hop)
            table = flows.tables[hop.parent if isinstance(hop, Reference) else hop.child]
        elif part == SIGNALS and index == 0 and part not in table.columns:
            return _to_signal(flows, root, text, parts)
        elif part in table.columns and index == len(parts) - 1:
            return Path(text, root, tuple(hops), table, table.columns[part])
        elif part in table.columns:
            rest = ".".join(parts[index + 1 :])
            message = f"path {text!r}: {part!r} is a column of {table.name!r}"
            raise FlowsError(message, hint=f"it ends there; leave {'.' + rest!r} out")
        else:
            known = [*table.columns, *table.references, *table.collections]
            raise FlowsError(f"path {text!r}: table {table.name!r} has no {part!r}", hint=nearest(part, known))
    return Path(text, root, tuple(hops), table, None)


def _to_signal(flows: Flows, root: str, text: str, parts: list[str]) -> Path:
    """Its key must be a value of the document's rows, too."""
    name, field = [*parts[1:], "", ""][:2]
    signal = flows.signals.get(name)
    if signal is None:
        hint = nearest(name, list(flows.signals)) if flows.signals else "add [signals.NAME]"
        raise FlowsError(f"path {text!r}: there is no signal {name!r}", hint=hint)
    if len(parts) > 3 or (len(parts) == 3 and field not in signal.fields):
        wrong = ".".join(parts[2:])
        raise FlowsError(f"path {text!r}: signal {name!r} has no {wrong!r}", hint=nearest(wrong, list(signal.fields)))
    try:
        key = resolve(flows, root, signal.key)
    except FlowsError as error:
        raise FlowsError(f"key of signal {name!r}: {error.message}", hint=error.hint) from None
    if key.signal is not None or key.many or key.column is None or key.column.type == "json":
        message = f"key of signal {name!r}: {signal.key!r} is not one value of a document of {root!r}"
        raise FlowsError(message, hint="a key is a column of the root or of a row that it refers to, and not JSON")
    column = Column(field, signal.fields[field], Lane.LOW) if field else None
    return Path(text, root, (), flows.tables[root], column, signal)


def nearest(wrong: str, known: list[str]) -> str:
    """A hint for a misspelt name."""
    close = get_close_matches(wrong, known, 1, 0.6)
    if not known:
        return "there are none"
    return (
        f"did you mean {close[0]!r}?"
        if close
        else f"there are: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"
    )
