"""The index of rows that builds read by themselves, through ctx.read: row -> documents."""

from collections.abc import Iterable, Iterator

from repo.api import Snapshot
from repo.keys import index_prefix
from repo.system import reads_index

READERS_MAX = 100_000


def read_address(table: str, key: bytes) -> bytes:
    """How a row stands in the index."""
    return table.encode() + b"\0" + key


def readers_of(
    snapshot: Snapshot, document_types: Iterable[str], table: str, key: bytes
) -> Iterator[tuple[str, bytes]]:
    """(document type, key) of every document whose build read the row."""
    prefix = index_prefix(read_address(table, key))
    for document_type in document_types:
        (entries,) = snapshot.scan_prefixes(reads_index(document_type), [prefix], READERS_MAX)
        for _, document in entries:
            yield document_type, document
