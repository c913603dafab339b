"""From a changed row up to the documents that read it, hop by hop, a bounded step at a time, resumable."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from argus.fetch import parent_suffix, source_part
from argus.plan import Plan
from proto.flows.model import Collection, Flows, Reference, Table
from proto.flows.paths import Hop
from repo.api import Snapshot
from repo.keys import index_prefix
from repo.rows import GroupReader
from repo.system import reference_index

PAGE = 64


class Frame(msgspec.Struct, array_like=True):
    """One place on the way up: `hops` are done up to `level`, at row `key`; `after`: the last index entry seen
    there."""

    level: int
    key: bytes
    after: bytes = b""


encode_frames = msgspec.msgpack.Encoder().encode
decode_frames = msgspec.msgpack.Decoder(list[Frame]).decode


@dataclass(frozen=True, slots=True)
class Target:
    """Documents that depend on some columns of a table. hops: from that table to the root, the nearest first."""

    document: str
    path: str
    table: str
    columns: frozenset[str]
    hops: tuple[Hop, ...] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.document}:{self.path}"


def targets(document: str, plan: Plan) -> list[Target]:
    """One for each node of a document type's tree."""
    return [
        Target(document, node.path, node.table.name, columns, node.upward()) for node, columns in plan.dependencies()
    ]


class Climber:
    """Walks the paths of targets upwards. A depth-first walk over index pages: its state is a short list of frames."""

    def __init__(self, flows: Flows, readers: dict[tuple[str, str], GroupReader]) -> None:
        self._flows, self._readers = flows, readers

    def climb(self, snapshot: Snapshot, target: Target, frames: list[Frame], limit: int) -> list[bytes]:
        """Up to about `limit` document keys; changes `frames` to where the next call goes on; empty frames: that was
        all."""
        found: list[bytes] = []
        top = len(target.hops)
        while frames and len(found) < limit:
            frame = frames.pop()
            if frame.level == top:
                found.append(frame.key)
                continue
            hop = target.hops[frame.level]
            if isinstance(hop, Collection):
                parent = self._parent(snapshot, hop, frame.key)
                frames += [Frame(frame.level + 1, parent)] if parent is not None else []
                continue
            last = frame.level + 1 == top
            found += self._children(snapshot, hop, frame, frames, last, limit - len(found) if last else PAGE)
        return found

    def _children(
        self, snapshot: Snapshot, hop: Reference, frame: Frame, frames: list[Frame], last: bool, limit: int
    ) -> Sequence[bytes]:
        """One page of the rows that refer to `frame.key`: documents if this is the last hop, else new frames."""
        (entries,) = snapshot.scan_prefixes(reference_index(hop), [index_prefix(frame.key)], limit, frame.after)
        if len(entries) == limit:
            frames.append(Frame(frame.level, frame.key, entries[-1][0]))
        children = [child for _, child in entries]
        if last:
            return children
        frames += [Frame(frame.level + 1, child) for child in reversed(children)]
        return ()

    def _parent(self, snapshot: Snapshot, hop: Collection, key: bytes) -> bytes | None:
        """The row whose collection `key` is in, as its reference columns say at this snapshot."""
        child = self._flows.tables[hop.child]
        values = self._columns(snapshot, child, hop.columns, key)
        if values is None or None in values:
            return None
        return source_part(key) + parent_suffix(child, hop.columns, self._flows.tables[hop.table])(values)

    def _columns(self, snapshot: Snapshot, table: Table, names: tuple[str, ...], key: bytes) -> list[object] | None:
        found: dict[str, object] = {}
        for group, columns in table.groups().items():
            if not set(columns).isdisjoint(names):
                (version,) = snapshot.read(table.name, group, [key])
                values = self._readers[table.name, group].values(version)
                if values is None:
                    return None
                found.update(zip(columns, values, strict=True))
        return [found[name] for name in names]


def first_frames(node_hops: tuple[Hop, ...], key: bytes, moved: Sequence[bytes]) -> list[Frame]:
    """Where a climb begins: at the changed row; and, when it left a parent, at that parent, one hop further up."""
    return [Frame(0, key), *(Frame(1, parent) for parent in moved if node_hops)]
