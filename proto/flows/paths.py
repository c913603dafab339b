"""Paths: `ad_group.campaign.daily_budget_micros` from a table along references and collections to a column, a row or
rows."""

from dataclasses import dataclass
from difflib import get_close_matches

from proto.errors import FlowsError
from proto.flows.model import Collection, Column, Flows, Reference, Table

Hop = Reference | Collection


@dataclass(frozen=True, slots=True)
class Path:
    """A resolved path. column None: it ends at a row (or at rows, when a collection is among the hops)."""

    text: str
    root: str
    hops: tuple[Hop, ...]
    table: Table
    column: Column | None

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


def nearest(wrong: str, known: list[str]) -> str:
    """A hint for a misspelt name."""
    close = get_close_matches(wrong, known, 1, 0.6)
    return (
        f"did you mean {close[0]!r}?"
        if close
        else f"there are: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"
    )
