"""Keys of parents, from the reference columns of their children."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from argus.plan import Node, Slot
from argus.shared_rows import ROWS_MAX
from proto.codec import KEY_BYTES_MAX, encode_scalar, source_end
from proto.errors import InvalidMessageError
from proto.flows.model import Reference, Table
from proto.values import coerce

Values = Sequence[Any]
"""Of one slot of one row."""

NOWHERE = b"\xfe"
"""In place of a key that no row can have. No encoded value begins so; not 0xFF, which would go on with a text."""


class ParentKeys:
    """Keys of the parents of a node's rows: the child's source, then its reference columns."""

    def __init__(self, node: Node, child: Node, hop: Reference) -> None:
        self._suffix = parent_suffix(child.table, hop.columns, node.table)
        self._columns = [(slot.at, itemgetter(at)) for slot, at in (_slot_of(child, name) for name in hop.columns)]
        self._first, self._value = self._columns[0]
        self._known = _Encoded(b"", self._suffix)

    def of(self, keys: Sequence[bytes | None], slots: Sequence[Sequence[Values]], prefix: bytes) -> list[bytes | None]:
        """keys, slots: of the rows; prefix: see Tree.read."""
        if not prefix or self._columns[1:]:
            return self._of_many(keys, slots, prefix)
        if prefix != self._known.prefix:
            self._known = _Encoded(prefix, self._suffix)
        return list(map(self._known.__getitem__, map(self._value, slots[self._first])))

    def _of_many(
        self, keys: Sequence[bytes | None], slots: Sequence[Sequence[Values]], prefix: bytes
    ) -> list[bytes | None]:
        """Of several sources or columns."""
        columns = [map(value, slots[number]) for number, value in self._columns]
        return [
            None if key is None or None in values else (prefix or source_part(key)) + self._suffix(values)
            for key, *values in zip(keys, *columns, strict=True)
        ]


class _Encoded(dict[Any, bytes | None]):
    """Value of a reference column -> key of the parent, of one source; encodes those that it is asked for first. When
    there are too many, all are forgotten."""

    def __init__(self, prefix: bytes, suffix: Callable[[Sequence[Any]], bytes]) -> None:
        super().__init__({None: None})
        self.prefix, self._suffix = prefix, suffix

    def __missing__(self, value: Any) -> bytes | None:
        if len(self) > ROWS_MAX:
            self.clear()
            self[None] = None
        key = self[value] = self.prefix + self._suffix((value,))
        return key


def source_part(key: bytes) -> bytes:
    """The encoded source name that a key begins with."""
    return key[: source_end(key)]


def parent_suffix(child: Table, columns: Sequence[str], parent: Table) -> Callable[[Sequence[Any]], bytes]:
    """Reference values of a child -> its parent's key without the source; values take the types of the parent's key.

    Values that no parent can have (of another type, or too long for a key) give a key that no row has.
    """
    kinds = [parent.columns[name].type for name in parent.key]
    same = [child.columns[name].type for name in columns] == kinds

    def suffix(values: Sequence[Any]) -> bytes:
        try:
            typed = values if same else [coerce(kind, value) for kind, value in zip(kinds, values, strict=True)]
            encoded = b"".join(map(encode_scalar, typed)) + b"\0"
        except InvalidMessageError:
            return NOWHERE
        return encoded if len(encoded) <= KEY_BYTES_MAX else NOWHERE

    return suffix


def _slot_of(node: Node, column: str) -> tuple[Slot, int]:
    for slot in node.slots.values():
        if column in slot.columns:
            return slot, slot.columns.index(column)
    raise KeyError(column)
