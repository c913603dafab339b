"""The index of what builds read by themselves, through ctx.read and ctx.collection: row or collection -> documents.

A build cannot know beforehand what such a function will read, so it notes it, with the document. Garbage: a build takes
back what it no longer reads.
"""

from dataclasses import dataclass

from proto.flows.model import Flows
from repo.keys import index_entry, index_prefix
from repo.system import collection_index, reads_index

Noted = tuple[str, bytes]
"""(table, row's key), or (name of a collection's index, parent's key)."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A hop from what was read to the documents that read it."""

    document: str
    table: str

    @property
    def index(self) -> str:
        return reads_index(self.document)

    def prefix(self, key: bytes) -> bytes:
        """What the entries of one row begin with."""
        return index_prefix(_address(self.table, key))


def read_entry(noted: Noted, document: bytes) -> bytes:
    """Key of the index entry; its value is the document's key."""
    return index_entry(_address(*noted), document)


def readable(flows: Flows) -> dict[str, frozenset[str]]:
    """All that can be read: tables, with their columns; indexes of collections, without."""
    found = {table.name: frozenset(table.columns) for table in flows.tables.values()}
    for table in flows.tables.values():
        for collection in table.collections.values():
            found[collection_index(collection)] = frozenset()
    return found


def _address(table: str, key: bytes) -> bytes:
    return table.encode() + b"\0" + key
