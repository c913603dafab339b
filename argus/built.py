"""The index of when documents were last built, and by which flows generation: (generation, hour) -> documents.

Every generation has versions of functions, so it also says which documents the version of a function has made. A
document has one entry, which its build moves when the hour or the generation is another one; so most builds write
nothing here. Garbage: there is none; a document that is deleted takes its entry along.
"""

from collections.abc import Iterator

from proto.record import LastBuild
from repo.api import Snapshot, Transaction
from repo.keys import index_entry
from repo.system import built_index

_HOUR = 3600 * 1_000_000_000  # of commit timestamps
_PAGE = 500
_NUMBER_BYTES = 4


class BuiltEntries:
    """Moves the entries of one document type in the transactions of one generation's builds."""

    def __init__(self, document_type: str, generation: int) -> None:
        self._index, self._generation = built_index(document_type), generation

    def is_there(self, snapshot_timestamp: int, stored: LastBuild) -> bool:
        """Whether the entry of a document that exists stays as it is. stored: the record of the build before."""
        return (
            stored.generation == self._generation
            and stored.built_at // _HOUR == snapshot_timestamp // _HOUR
            and stored.content_hash != 0  # that of a tombstone is 0
        )

    def move(self, transaction: Transaction, document: bytes, stored: LastBuild, exists: bool) -> None:
        """exists: False for a tombstone."""
        if stored.content_hash != 0:
            before = _prefix(stored.generation, stored.built_at // _HOUR)
            transaction.delete_index(self._index, index_entry(before, document))
        if exists:
            now = _prefix(self._generation, transaction.snapshot_timestamp // _HOUR)
            transaction.write_index(self._index, index_entry(now, document), document)


def built_by(snapshot: Snapshot, document_type: str, generation: int, since: int, until: int) -> Iterator[list[bytes]]:
    """Pages of documents whose newest build is of this generation, and in the hours from `since` to `until` (commit
    timestamps)."""
    after, last = _prefix(generation, since // _HOUR), _prefix(generation, until // _HOUR)
    while True:
        (page,) = snapshot.scan_prefixes(built_index(document_type), [after[:_NUMBER_BYTES]], _PAGE, after)
        found = [document for entry, document in page if entry[: 2 * _NUMBER_BYTES] <= last]
        if found:
            yield found
        if len(found) < _PAGE:
            return
        after = page[-1][0]


def has_documents(snapshot: Snapshot, document_type: str, generation: int) -> bool:
    """Whether the newest build of any document is of this generation."""
    prefix = generation.to_bytes(_NUMBER_BYTES, "big")
    return bool(snapshot.scan_prefixes(built_index(document_type), [prefix], 1)[0])


def _prefix(generation: int, hour: int) -> bytes:
    return generation.to_bytes(_NUMBER_BYTES, "big") + min(hour, 0xFFFFFFFF).to_bytes(_NUMBER_BYTES, "big")
