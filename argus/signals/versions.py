"""The index of the versions of signals: (signal, version) -> documents in which its values are.

Garbage: a build takes the entries of versions that the document has no more back.
"""

from collections.abc import Iterator

from proto.codec import encode_key
from repo.api import Snapshot, Transaction
from repo.keys import index_entry
from repo.system import signals_index

Used = tuple[tuple[str, int], ...] | None
"""See BuildRecord.used."""

_PAGE = 500


class SignalVersions:
    """Moves the entries of one document type in the transactions of its builds."""

    def __init__(self, document_type: str) -> None:
        self._index = signals_index(document_type)

    def move(self, transaction: Transaction, document: bytes, before: Used, now: Used) -> None:
        """Only what is different is written."""
        gone, come = set(before or ()), set(now or ())
        for one in gone - come:
            transaction.delete_index(self._index, index_entry(encode_key(one), document))
        for one in come - gone:
            transaction.write_index(self._index, index_entry(encode_key(one), document), document)


def documents_with(snapshot: Snapshot, document_type: str, signal: str, version: int) -> Iterator[list[bytes]]:
    """Pages of documents that have values of this version; 0: of any."""
    prefix = encode_key((signal, version) if version else (signal,))[:-1]
    after = b""
    while True:
        (page,) = snapshot.scan_prefixes(signals_index(document_type), [prefix], _PAGE, after)
        if page:
            yield [document for _, document in page]
        if len(page) < _PAGE:
            return
        after = page[-1][0]
