"""The rows that a document reads, found again along its paths: with their keys, and when each column last changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from argus.generations import load
from argus.outline import load_outline
from argus.parent_keys import parent_suffix, source_part
from argus.plan import Node, Plan
from ops.addresses import shown_id
from ops.opened import DataFolder
from proto.flows.conditions import parse
from proto.flows.model import Collection, Document
from proto.flows.paths import resolve
from proto.record import decode_record
from repo.api import Snapshot
from repo.keys import index_prefix
from repo.rows import last_changes
from repo.system import collection_index

_CHILDREN_MAX = 200
"""Of one collection of one row: more are not looked at."""


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """changed_at: commit timestamp of its last change. used: the document depends on it."""

    value: Any
    changed_at: int
    used: bool


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that the document reads, or would read if it were there.

    path      of the node, "" for the root; many: below a collection
    parent    the row from which it is reached, in `rows`' order; -1: none
    key       None: the reference is NULL
    exists    it is there; parked: why its newest source row could not be stored
    columns   of the groups that are read
    """

    path: str
    table: str
    many: bool
    parent: int
    key: bytes | None
    exists: bool
    parked: str
    columns: dict[str, ReadColumn]

    @property
    def address(self) -> str:
        """`campaigns/381`; "" without a key."""
        return "" if self.key is None else row_text(self.table, self.key)


def row_text(table: str, key: bytes) -> str:
    """`campaigns/381`; a composite key with commas."""
    shown = shown_id(key)
    return f"{table}/{','.join(map(str, shown)) if isinstance(shown, list) else shown}"


class Reading:
    """Of one document type: where its rows are found."""

    def __init__(self, folder: DataFolder, document: Document) -> None:
        self.plan = Plan(folder.flows, document.root)
        self._schemas = folder.schemas
        for path in _paths(folder, document):
            resolved = resolve(folder.flows, document.root, path)
            if resolved.signal is not None:
                self.plan.add_signal(resolved.signal)
            else:
                self.plan.add(resolved)

    def rows(self, snapshot: Snapshot, key: bytes) -> list[ReadRow]:
        """Parents before children; the root is the first, whether it is there or not."""
        found: list[ReadRow] = []
        places: dict[str, list[int]] = {}
        for node in self.plan.nodes:
            places[node.path] = range_of = []
            for parent, child in self._keys(snapshot, node, found, places, key):
                range_of.append(len(found))
                found.append(self._row(snapshot, node, parent, child))
        return found

    def _keys(
        self, snapshot: Snapshot, node: Node, found: Sequence[ReadRow], places: dict[str, list[int]], root: bytes
    ) -> Iterable[tuple[int, bytes | None]]:
        """(number of the parent, key) of each row of a node."""
        if node.parent is None:
            return [(-1, root)]
        above = [number for number in places[node.parent.path] if found[number].exists]
        hop = node.hop
        if isinstance(hop, Collection):
            prefixes = [index_prefix(found[number].key or b"") for number in above]
            entries = snapshot.scan_prefixes(collection_index(hop), prefixes, min(hop.limit, _CHILDREN_MAX))
            return [(number, child) for number, part in zip(above, entries, strict=True) for _, child in part]
        assert hop is not None
        suffix = parent_suffix(node.parent.table, hop.columns, node.table)
        keys: list[tuple[int, bytes | None]] = []
        for number in above:
            row = found[number]
            values = [row.columns[name].value if name in row.columns else None for name in hop.columns]
            keys.append((number, None if None in values or row.key is None else source_part(row.key) + suffix(values)))
        return keys

    def _row(self, snapshot: Snapshot, node: Node, parent: int, key: bytes | None) -> ReadRow:
        columns: dict[str, ReadColumn] = {}
        exists, parked = False, ""
        for slot in node.slots.values() if key is not None else ():
            (version,) = snapshot.read(node.table.name, slot.group, [key or b""])
            if version is None or version.value is None:
                continue
            record = decode_record(version.value)
            parked = parked or record.parked
            if record.values is None:
                continue
            exists = exists or slot.group == node.table.key_group()
            changed = last_changes(record, version.commit_timestamp)
            for name, value, changed_at in zip(self._schemas.names(record.schema), record.values, changed, strict=True):
                columns[name] = ReadColumn(value, changed_at, name in node.used)
        return ReadRow(node.path, node.table.name, node.many, parent, key, exists, parked, columns)


def _paths(folder: DataFolder, document: Document) -> list[str]:
    """All that its fields and its condition take, functions' inputs too, as the admitted generation has noted them."""
    state = load(folder.repo)
    with folder.repo.snapshot() as snapshot:
        outline = load_outline(snapshot, document.name, state.current.number) if state is not None else None
    condition = parse(document.servable).paths if document.servable else ()
    copies = [field.path for field in document.fields.values() if field.path]
    inputs = [one.path for field in outline.fields for one in field.inputs] if outline is not None else []
    return list(dict.fromkeys([*copies, *condition, *inputs]))
