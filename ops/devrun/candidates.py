"""Which documents a dry run takes: some by their ids, or a sample of those that meet a condition."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from random import Random

from batch.devrun.messages import CodeFacts
from batch.devrun.run import Sample
from batch.devrun.sample import Sampler, spread
from ops.addresses import document_address
from ops.document_filter import Matches
from ops.document_view import StoredDocument, with_builds
from ops.opened import DataFolder
from proto.flows.model import Flows
from repo.api import Snapshot
from repo.system import CONTENT, document_table

LOOKED_AT_MAX = 50_000
"""Documents that are looked at to draw a sample without a condition: key ranges, and the beginning of each."""

_PAGE_DOCUMENTS = 500
_RANGES = 256
_ROWS_A_TABLE = 200


def named(folder: DataFolder, snapshot: Snapshot, ids: Sequence[str]) -> dict[str, list[bytes]]:
    """Those with these ids. Raises LookupError for one that is not there."""
    sources = folder.sources()
    found: dict[str, dict[bytes, None]] = {}
    for text in ids:
        address = document_address(folder.flows, sources, text)
        (stored,) = snapshot.read(document_table(address.document), CONTENT, [address.key])
        if stored is None:
            raise LookupError(f"there is no document {address.text}")
        found.setdefault(address.document, {})[address.key] = None
    return {name: sorted(keys) for name, keys in found.items()}


def drawn(
    folder: DataFolder, snapshot: Snapshot, conditions: Mapping[str, Matches], everything: bool, size: int, seed: int
) -> tuple[dict[str, list[bytes]], str]:
    """A sample of `size` documents of each type, and how it was drawn. everything: look at all of them."""
    keys: dict[str, list[bytes]] = {}
    shown = []
    for name, matches in conditions.items():
        sampler = Sampler(size, seed)
        for document in _candidates(folder, snapshot, name, max(LOOKED_AT_MAX, size), everything):
            if matches(document):
                sampler.offer(document.key, document.servable, document.fields)
        keys[name] = sampler.chosen()
        shown.append(f"{len(keys[name]):,} of {sampler.offered:,} {name} documents")
    return keys, ", ".join(shown)


def with_rows(
    folder: DataFolder,
    snapshot: Snapshot,
    documents: Mapping[str, Sequence[bytes]],
    versions: Sequence[CodeFacts],
    seed: int,
) -> Sample:
    """The sample, with rows for handlers that no document leads to, and documents of types that are not stored yet."""
    random = Random(seed)
    wanted = dict.fromkeys(table for facts in versions for handler in facts.handlers for table in handler.unread)
    rows = {table: _root_rows(folder.flows, snapshot, table, _ROWS_A_TABLE, random) for table in wanted}
    size = max(map(len, documents.values()), default=0)
    new = {
        kind.name: kind.root for facts in versions for kind in facts.types if kind.name not in folder.flows.documents
    }
    added = {name: _root_rows(folder.flows, snapshot, root, size, random) for name, root in new.items()}
    return Sample({**documents, **{name: keys for name, keys in added.items() if keys}}, rows)


def _candidates(
    folder: DataFolder, snapshot: Snapshot, document_type: str, most: int, everything: bool
) -> Iterator[StoredDocument]:
    table = document_table(document_type)
    ranges = [(b"", None)] if everything else snapshot.partitions(table, _RANGES)
    each = ceil(most / len(ranges))
    for after, before in ranges:
        left = None if everything else each
        while left is None or left > 0:
            limit = _PAGE_DOCUMENTS if left is None else min(left, _PAGE_DOCUMENTS)
            page = snapshot.scan(table, CONTENT, after=after, before=before, limit=limit)
            yield from (one for one in with_builds(snapshot, folder.schemas, document_type, page) if one is not None)
            if len(page) < limit:
                break
            after = page[-1][0]
            left = None if left is None else left - len(page)


def _root_rows(flows: Flows, snapshot: Snapshot, table: str, size: int, random: Random) -> list[bytes]:
    """Keys of some rows of a table; none of one that is not stored yet."""
    known = flows.tables.get(table)
    if known is None:
        return []
    page = snapshot.scan(table, known.key_group(), limit=20 * size or 1)
    return spread([key for key, _ in page], size, random)
