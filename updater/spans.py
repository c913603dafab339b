"""Rows that a comparison did not find: in the Repo, within the span of a chunk, and not in the chunk."""

from collections.abc import Collection, Iterable

from repo.api import Snapshot
from updater.layout import TableLayout

Span = tuple[bytes, bytes]
"""(after, through), as in proto.events.Unit."""

_PAGE = 1000


def missing_rows(
    layout: TableLayout, span: Span, found: Collection[bytes], touched: Iterable[bytes], snapshot: Snapshot
) -> list[bytes]:
    """Keys of the rows that may be gone; the version guard decides.

    found: keys of the chunk; touched: keys that the batch writes, which the snapshot may not know yet.
    """
    after, through = span
    group = layout.groups[layout.main]
    keys = {key for key in touched if after < key <= through}
    before = through + b"\0"  # the least key above
    while True:
        page = snapshot.scan(layout.name, group.name, after, before, _PAGE)
        for key, version in page:
            record = group.reader.record(version)
            if record is not None and (record.values is not None or record.parked):
                keys.add(key)
        if len(page) < _PAGE:
            return sorted(keys.difference(found))
        after = page[-1][0]
