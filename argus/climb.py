"""From a changed row up to the documents that read it, hop by hop: many rows at once, or a bounded step at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from argus.parent_keys import NOWHERE, parent_suffix, source_part
from argus.plan import Plan
from argus.reads import Recorded, readable
from proto.flows.model import Collection, Flows, Reference
from proto.flows.paths import Hop
from repo.api import Reads
from repo.keys import index_prefix
from repo.rows import GroupReader
from repo.system import reference_index

PAGE = 64
"""Rows that a resumable climb holds for each hop on its way."""

TOGETHER = 16
"""Places from which a resumable climb goes on in one storage call."""

CALLS_MAX = 64
"""Storage calls of one step of a resumable climb: on many paths there is no document at all."""

WIDTH = 4
"""Rows of one climb from which a hop is made in full; from more, each may have fewer rows above it."""


class Frame(msgspec.Struct, array_like=True):
    """One place on the way up: `hops` are done up to `level`, at row `key`; `after`: the last index entry seen
    there."""

    level: int
    key: bytes
    after: bytes = b""


encode_frames = msgspec.msgpack.Encoder().encode
decode_frames = msgspec.msgpack.Decoder(list[Frame]).decode


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Documents that depend on some columns of a table. hops: from that table to the root, the nearest first."""

    document: str
    path: str
    table: str
    columns: frozenset[str]
    hops: tuple[Hop | Recorded, ...] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.document}:{self.path}"


def targets(document: str, plan: Plan) -> list[Target]:
    """One for each node of a document type's tree."""
    return [
        Target(document, node.path, node.table.name, columns, node.upward()) for node, columns in plan.dependencies()
    ]


def recorded_targets(document: str, flows: Flows) -> list[Target]:
    """One for each table and collection that an asynchronous field of the document type may read."""
    return [
        Target(document, f"@{name}", name, columns, (Recorded(document, name),))
        for name, columns in readable(flows).items()
    ]


class Climber:
    """Walks the paths of targets upwards."""

    def __init__(self, flows: Flows, readers: dict[tuple[str, str], GroupReader]) -> None:
        self._flows, self._readers = flows, readers
        self._parents: dict[Collection, Callable[[Reads, Sequence[bytes]], list[list[bytes]]]] = {}

    def reach(
        self, snapshot: Reads, target: Target, starts: Sequence[Sequence[Frame]], most: int
    ) -> list[list[bytes] | None]:
        """The documents above each start; None where there may be more than `most` rows on some hop. One storage call a
        hop for all of them."""
        found: list[list[bytes] | None] = [[frame.key for frame in frames if frame.level == 0] for frames in starts]
        for level, hop in enumerate(target.hops):
            keys = list(dict.fromkeys(key for part in found if part is not None for key in part))
            widest = max((len(part) for part in found if part is not None), default=0)
            limit = most + 1 if widest <= WIDTH else max(most * WIDTH // widest, 32)
            pages = dict(zip(keys, self._pages(snapshot, hop, keys, limit, b""), strict=True))
            for number, (part, frames) in enumerate(zip(found, starts, strict=True)):
                if part is not None:
                    reached = dict.fromkeys(above for key in part for above in pages[key][0])
                    reached.update(dict.fromkeys(frame.key for frame in frames if frame.level == level + 1))
                    cut = len(reached) > most or any(pages[key][1] for key in part)
                    found[number] = None if cut else list(reached)
        return found

    def climb(self, snapshot: Reads, target: Target, frames: list[Frame], limit: int) -> list[bytes]:
        """At most `limit` document keys, depth first, after CALLS_MAX storage calls at the latest; changes `frames` to
        where the next call goes on; empty frames: that was all."""
        found: list[bytes] = []
        top = len(target.hops)
        for _ in range(CALLS_MAX):
            if not frames or len(found) >= limit:
                break
            together = _together(frames, min(TOGETHER, limit - len(found)))
            level = together[0].level
            if level == top:
                found += [frame.key for frame in together]
                continue
            last = level + 1 == top
            page = (limit - len(found)) // len(together) if last else PAGE
            hop, keys = target.hops[level], [frame.key for frame in together]
            pages = self._pages(snapshot, hop, keys, page, together[0].after)
            for frame, (entries, after) in reversed(list(zip(together, pages, strict=True))):
                if after:
                    frames.append(Frame(level, frame.key, after))
                if not last:
                    frames += [Frame(level + 1, key) for key in reversed(entries)]
            if last:
                found += [key for entries, _ in pages for key in entries]
        return found

    def _pages(
        self, snapshot: Reads, hop: Hop | Recorded, keys: Sequence[bytes], limit: int, after: bytes
    ) -> list[tuple[list[bytes], bytes]]:
        """For each key the rows one hop up, at most `limit`, and the index entry after which there may be more."""
        if isinstance(hop, Collection):
            return [(parents, b"") for parents in self.owners(snapshot, hop, keys)]
        if isinstance(hop, Reference):
            index, prefixes = reference_index(hop), list(map(index_prefix, keys))
        else:
            index, prefixes = hop.index, list(map(hop.prefix, keys))
        return [
            ([child for _, child in entries], entries[-1][0] if len(entries) == limit else b"")
            for entries in snapshot.scan_prefixes(index, prefixes, limit, after)
        ]

    def owners(self, snapshot: Reads, hop: Collection, keys: Sequence[bytes]) -> list[list[bytes]]:
        """The rows whose collection each key is in, as its reference columns say at this snapshot: one or none."""
        read = self._parents.get(hop)
        if read is None:
            read = self._parents[hop] = self._owner_reader(hop)
        return read(snapshot, keys)

    def _owner_reader(self, hop: Collection) -> Callable[[Reads, Sequence[bytes]], list[list[bytes]]]:
        child = self._flows.tables[hop.child]
        suffix = parent_suffix(child, hop.columns, self._flows.tables[hop.table])
        groups = [
            (group, self._readers[child.name, group], columns)
            for group, columns in child.groups().items()
            if not set(columns).isdisjoint(hop.columns)
        ]
        names = [name for _, _, columns in groups for name in columns]
        places = [names.index(name) for name in hop.columns]

        def read(snapshot: Reads, keys: Sequence[bytes]) -> list[list[bytes]]:
            records = [reader.records(snapshot.read(child.name, group, keys)) for group, reader, _ in groups]
            found: list[list[bytes]] = []
            for key, *parts in zip(keys, *records, strict=True):
                if any(part is None or part.values is None for part in parts):
                    found.append([])
                    continue
                row = [value for part in parts for value in part.values]
                values = [row[place] for place in places]
                owner = NOWHERE if None in values else suffix(values)
                found.append([] if owner == NOWHERE else [source_part(key) + owner])
            return found

        return read


def first_frames(hops: Sequence[Hop | Recorded], key: bytes, moved: Sequence[bytes]) -> list[Frame]:
    """Where a climb begins: at the changed row; and, when it left a parent, at that parent, one hop further up."""
    return [Frame(0, key), *(Frame(1, parent) for parent in moved if hops)]


def _together(frames: list[Frame], most: int) -> list[Frame]:
    """Takes frames from the end that stand at one level; one alone when it is in the middle of its entries."""
    taken = [frames.pop()]
    level, begun = taken[0].level, bool(taken[0].after)
    while frames and len(taken) < most and frames[-1].level == level and not (begun or frames[-1].after):
        taken.append(frames.pop())
    return taken
