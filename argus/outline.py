"""The half of lineage that all documents of a type share: the places that are read, and from which of them each field
comes, by which function of which version.

Stored once a flows generation, so that a document built by an earlier one can be explained, too. Garbage: of each
document type the newest GENERATIONS_KEPT stay.
"""

from collections.abc import Iterable, Mapping

import msgspec

from argus.compile import Compiled
from argus.plan import Node
from argus.registry import Application
from proto.codec import decode_key, encode_key
from proto.flows.conditions import parse
from proto.flows.model import Collection, Flows
from proto.flows.paths import resolve
from repo.api import Reads, Repo, Snapshot, Transaction
from repo.system import OUTLINES, STATE

GENERATIONS_KEPT = 100


class Place(msgspec.Struct, array_like=True, frozen=True):
    """A place of the tree that a document type reads (argus.plan.Node).

    groups   (name, columns) of each group that is read; the one that says whether the row is there comes first
    many     below a collection: several rows
    above    number of the place that leads here; -1: this is the root
    link     columns that lead here: of the place above, or, when `collection`, of this table
    """

    path: str
    table: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    many: bool = False
    above: int = -1
    link: tuple[str, ...] = ()
    collection: bool = False


class Input(msgspec.Struct, array_like=True, frozen=True):
    """What a field takes from a place. parameter: "" for a plain copy; column: "" for whole rows; place -1: it takes it
    from a signal, and BuildRecord.signals says what that was."""

    parameter: str
    path: str
    place: int
    column: str


class FieldOrigin(msgspec.Struct, array_like=True, frozen=True):
    """Where a field comes from. handler: "" for a plain copy; reads: it reads further rows by itself (ctx.read)."""

    name: str
    inputs: tuple[Input, ...]
    handler: str = ""
    version: int = 0
    reads: bool = False


class Outline(msgspec.Struct, array_like=True, frozen=True):
    """servable: what decides whether a document may be served."""

    places: tuple[Place, ...]
    fields: tuple[FieldOrigin, ...]
    servable: tuple[Input, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Outline).decode


def outline_of(application: Application, compiled: Compiled) -> Outline:
    """Places in the order of the plan's nodes, fields in that of the compiled document."""
    numbers = {node.path: number for number, node in enumerate(compiled.plan.nodes)}
    document, flows = compiled.document, application.flows

    def inputs(wanted: Iterable[tuple[str, str]]) -> tuple[Input, ...]:
        return tuple(_input(flows, document.root, numbers, parameter, path) for parameter, path in wanted)

    def origin(name: str) -> FieldOrigin:
        spec = application.fields.get((document.name, name))
        if spec is None:
            return FieldOrigin(name, inputs([("", document.fields[name].path)]))
        return FieldOrigin(name, inputs(spec.inputs.items()), spec.name, spec.version, spec.asynchronous)

    condition = parse(document.servable).paths if document.servable else ()
    return Outline(
        tuple(_place(node, numbers) for node in compiled.plan.nodes),
        tuple(map(origin, compiled.names)),
        inputs([("", path) for path in condition]),
    )


def store_outline(repo: Repo, document_type: str, generation: int, outline: Outline) -> None:
    """Whoever is the first of a generation does it."""
    key, value = _key(document_type, generation), _encode(outline)
    outdated = _key(document_type, generation - GENERATIONS_KEPT)
    with repo.snapshot() as snapshot:
        stored, old = snapshot.read(OUTLINES, STATE, [key, outdated])
        transaction = Transaction(snapshot.timestamp)
    if stored is None or stored.value != value:
        transaction.write(OUTLINES, key, STATE, value)
        if old is not None:
            transaction.delete(OUTLINES, outdated, STATE)
        repo.commit([transaction])  # a conflict: another process has stored the same


def load_outline(reads: Reads, document_type: str, generation: int) -> Outline | None:
    """None: this generation is not known, or forgotten."""
    (stored,) = reads.read(OUTLINES, STATE, [_key(document_type, generation)])
    return None if stored is None or stored.value is None else _decode(stored.value)


def load_outlines(snapshot: Snapshot, document_type: str) -> dict[int, Outline]:
    """All that are kept, by generation, the newest first."""
    with_versions = snapshot.scan(OUTLINES, STATE, after=encode_key((document_type,))[:-1])
    found = {}
    for key, version in with_versions:
        name, generation = decode_key(key)
        if name == document_type:
            found[generation] = _decode(version.value or b"")
    return dict(sorted(found.items(), reverse=True))


def _key(document_type: str, generation: int) -> bytes:
    return encode_key((document_type, generation))


def _place(node: Node, numbers: Mapping[str, int]) -> Place:
    groups = tuple((slot.group, slot.columns) for slot in node.ordered_slots())
    if node.parent is None or node.hop is None:
        return Place(node.path, node.table.name, groups)
    above = numbers[node.parent.path]
    return Place(
        node.path, node.table.name, groups, node.many, above, node.hop.columns, isinstance(node.hop, Collection)
    )


def _input(flows: Flows, root: str, numbers: Mapping[str, int], parameter: str, text: str) -> Input:
    path = resolve(flows, root, text)
    place = numbers[".".join(hop.name for hop in path.hops)] if path.signal is None else -1
    return Input(parameter, text, place, path.column.name if path.column else "")
