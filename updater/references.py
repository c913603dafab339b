"""Index entries of references and collections: one entry a child and link, kept with the child's row, also while the
parent is absent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from proto.codec import Scalar, descending, encode_scalar
from proto.errors import InvalidMessageError
from proto.flows.model import Collection, Flows, Reference, Table
from proto.values import coerce
from repo.api import Transaction
from repo.keys import index_entry
from repo.system import collection_index, reference_index

Place = tuple[int, int]
"""Where a value stands in a row: number of the group, position in the group."""

RowValues = Sequence[Sequence[Any]]
"""The stored values of a row, by group."""

Moves = dict[str, tuple[bytes | None, bytes | None]]
"""Link name -> (old parent's key, new parent's key), as in proto.events.RowChange."""

_NULL = encode_scalar(None)
"""Below every other encoded order value, ascending or descending."""


@dataclass(frozen=True, slots=True)
class Link:
    """A reference, or a collection seen from its child.

    name     in notifications: "campaign" for a reference, "ads.keywords" for the collection `keywords` of `ads`
    kinds    of the parent's key columns, where a value must be coerced; "" where the child's type is the same
    order    the place of the order value, and how it is made sortable
    """

    name: str
    index: str
    places: tuple[Place, ...]
    kinds: tuple[str, ...]
    columns: frozenset[str]
    order: Place | None = None
    sortable: Callable[[Any], Scalar] | None = None
    descending: bool = False

    def parent(self, source: bytes, row: RowValues) -> bytes | None:
        """Key of the parent that a row points at; None when a value is NULL or when no parent can have such a key.

        source: the encoded name of the source, which the parent's key begins with.
        """
        encoded = source
        for (group, at), kind in zip(self.places, self.kinds, strict=True):
            value = row[group][at]
            if value is None:
                return None
            try:
                encoded += encode_scalar(coerce(kind, value) if kind else value)
            except InvalidMessageError:
                return None
        return encoded + b"\0"

    def entry(self, parent: bytes, row: RowValues, child: bytes) -> bytes:
        """Key of the index entry. NULL comes first, whichever way the collection is ordered."""
        if self.order is None:
            return index_entry(parent, child)
        value = row[self.order[0]][self.order[1]]
        if value is None:
            return index_entry(parent, child, _NULL)
        encoded = encode_scalar(self.sortable(value) if self.sortable else value)
        return index_entry(parent, child, descending(encoded) if self.descending else encoded)


class Links:
    """All links of one child table."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = tuple(links)
        self.columns = frozenset[str]().union(*(link.columns for link in links))

    def move(
        self, transaction: Transaction, source: bytes, child: bytes, old: RowValues | None, new: RowValues | None
    ) -> Moves | None:
        """Writes what changes between two states of a row (None: the row isn't there); returns the links that
        changed."""
        moves: Moves = {}
        for link in self._links:
            before = None if old is None else link.parent(source, old)
            after = None if new is None else link.parent(source, new)
            old_entry = None if before is None or old is None else link.entry(before, old, child)
            new_entry = None if after is None or new is None else link.entry(after, new, child)
            if old_entry == new_entry and before == after:
                continue
            if old_entry is not None and old_entry != new_entry:
                transaction.delete_index(link.index, old_entry)
            if new_entry is not None and old_entry != new_entry:
                transaction.write_index(link.index, new_entry, child)
            moves[link.name] = (before, after)
        return moves or None


def links_of(flows: Flows, table: Table, places: dict[str, Place]) -> Links:
    """The links of a child table. places: of its columns."""
    found = [_link(flows, item, table, item.name, reference_index(item), places) for item in table.references.values()]
    for parent in flows.tables.values():
        for item in parent.collections.values():
            if item.child == table.name:
                name = f"{parent.name}.{item.name}"
                found.append(_link(flows, item, table, name, collection_index(item), places))
    return Links(found)


def _link(
    flows: Flows, item: Reference | Collection, child: Table, name: str, index: str, places: dict[str, Place]
) -> Link:
    parent = flows.tables[item.parent if isinstance(item, Reference) else item.table]
    wanted = [parent.columns[key].type for key in parent.key]
    had = [child.columns[column].type for column in item.columns]
    kinds = tuple("" if kind == other else kind for kind, other in zip(wanted, had, strict=True))
    columns = frozenset(item.columns)
    at = tuple(places[column] for column in item.columns)
    order_by = item.order_by if isinstance(item, Collection) else ""
    if not order_by or not isinstance(item, Collection):
        return Link(name, index, at, kinds, columns)
    sortable = _SORTABLE.get(child.columns[order_by].type)
    return Link(name, index, at, kinds, columns | {order_by}, places[order_by], sortable, item.descending)


def _datetime_text(stored: str) -> str:
    """Without the Z, so that a whole second sorts before its fractions."""
    return stored.removesuffix("Z")


def _json_text(stored: Any) -> str:
    return msgspec.json.encode(stored, order="deterministic").decode()


_SORTABLE: dict[str, Callable[[Any], Scalar]] = {
    "decimal": Decimal,
    "datetime": _datetime_text,
    "json": _json_text,
}
"""Types whose stored form does not sort as its values do, or can't be encoded."""
