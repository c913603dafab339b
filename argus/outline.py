"""The half of lineage that all documents of a type share: the places that are read, and from which of them each field
comes, by which function of which version.

Stored once a flows generation, so that a document built by an earlier one can be explained, too. Garbage: those stay
that have documents, and the newest GENERATIONS_KEPT.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from argus.built import has_documents
from argus.compile import Compiled
from argus.plan import Node
from argus.registry import Application
from proto.codec import decode_key, encode_key
from proto.flows.conditions import parse
from proto.flows.model import Collection
from proto.flows.paths import Path, resolve
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
    """What a field takes from a place, or from a signal.

    parameter    "" for a plain copy
    place        number of the place; of the signal, when `is_signal`
    column       of the row, or field of the signal; "" for all of them
    """

    parameter: str
    path: str
    place: int
    column: str
    is_signal: bool = False


class FieldOrigin(msgspec.Struct, array_like=True, frozen=True):
    """Where a field comes from. handler: "" for a plain copy; reads: it reads further rows by itself (ctx.read)."""

    name: str
    inputs: tuple[Input, ...]
    handler: str = ""
    version: int = 0
    reads: bool = False


class Outline(msgspec.Struct, array_like=True, frozen=True):
    """servable: what decides whether a document may be served. signals: names of those that are read."""

    places: tuple[Place, ...]
    fields: tuple[FieldOrigin, ...]
    servable: tuple[Input, ...] = ()
    signals: tuple[str, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Outline).decode


def outline_of(application: Application, compiled: Compiled) -> Outline:
    """Places as Plan.places has them, fields in the order of the flows file."""
    numbers = {node.path: number for number, node in enumerate(compiled.plan.places())}
    signals = tuple(known.signal.name for known in compiled.plan.signals)
    document, flows = compiled.document, application.flows

    def inputs(wanted: Iterable[tuple[str, str]]) -> tuple[Input, ...]:
        return tuple(
            _input(parameter, resolve(flows, document.root, text), numbers, signals) for parameter, text in wanted
        )

    def origin(name: str) -> FieldOrigin:
        spec = application.fields.get((document.name, name))
        if spec is None:
            return FieldOrigin(name, inputs([("", document.fields[name].path)]))
        return FieldOrigin(name, inputs(spec.inputs.items()), spec.name, spec.version, spec.asynchronous)

    condition = parse(document.servable).paths if document.servable else ()
    return Outline(
        tuple(_place(node, numbers) for node in compiled.plan.places()),
        tuple(map(origin, document.fields)),
        inputs([("", path) for path in condition]),
        signals,
    )


def store_outline(repo: Repo, document_type: str, generation: int, outline: Outline) -> None:
    """Whoever is the first of a generation does it, and removes those that no document needs any more."""
    key, value = _key(document_type, generation), _encode(outline)
    with repo.snapshot() as snapshot:
        (stored,) = snapshot.read(OUTLINES, STATE, [key])
        if stored is not None and stored.value == value:
            return
        transaction = Transaction(snapshot.timestamp)
        for old in load_outlines(snapshot, document_type):
            if old <= generation - GENERATIONS_KEPT and not has_documents(snapshot, document_type, old):
                transaction.delete(OUTLINES, _key(document_type, old), STATE)
    transaction.write(OUTLINES, key, STATE, value)
    repo.commit([transaction])  # a conflict: another process has stored the same


def load_outline(reads: Reads, document_type: str, generation: int) -> Outline | None:
    """None: this generation is not known, or forgotten."""
    (stored,) = reads.read(OUTLINES, STATE, [_key(document_type, generation)])
    return None if stored is None or stored.value is None else _decode(stored.value)


def load_outlines(snapshot: Snapshot, document_type: str) -> dict[int, Outline]:
    """All that are kept, by generation, the newest first."""
    found = {}
    for key, version in snapshot.scan(OUTLINES, STATE, after=encode_key((document_type,))[:-1], limit=100_000):
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


def _input(parameter: str, path: Path, numbers: Mapping[str, int], signals: Sequence[str]) -> Input:
    column = path.column.name if path.column else ""
    if path.signal is not None:
        return Input(parameter, path.text, signals.index(path.signal.name), column, True)
    return Input(parameter, path.text, numbers[".".join(hop.name for hop in path.hops)], column)
