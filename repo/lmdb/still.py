"""A snapshot for which the store stands still: one LMDB read transaction holds its timestamp, its rows and its indexes.

Index entries have no versions. A build that read them a moment later than its rows would mix two source transactions.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Self

import lmdb

from proto.errors import UnavailableError
from repo.api import Version
from repo.lmdb import walk
from repo.lmdb.layout import CELLS, INDEX, LAST_TIMESTAMP, inverted, stored_timestamp
from repo.lmdb.snapshot import LmdbSnapshot, too_new
from repo.lmdb.store import META


class _Held(NamedTuple):
    """What is open while a still snapshot is entered: a build reads a dozen times, and pays for these once."""

    read: "AbstractContextManager[lmdb.Transaction[bytes]]"
    transaction: "lmdb.Transaction[bytes]"
    cells: "lmdb.Cursor[bytes]"
    entries: "lmdb.Cursor[bytes]"


class StillSnapshot(LmdbSnapshot):
    """See Repo.snapshot(still=True). Reads only while it is entered; its timestamp is taken then, and is at least that
    with which it was made.

    Nothing it reads can be too old: its timestamp is that of the newest commit, which the watermark never passes, and
    within one LMDB transaction nothing is collected.
    """

    _held: _Held | None = None

    def __enter__(self) -> Self:
        """Raises UnavailableError when the newest commit is older than the snapshot must be (N1)."""
        read, databases, at_least = self._environment.read(), self._environment.databases, self._timestamp
        transaction = read.__enter__()
        try:
            newest = stored_timestamp(transaction.get(LAST_TIMESTAMP, None, databases[META]))
            if newest < at_least:
                raise too_new(at_least, newest)
            self._timestamp, self._inverted, cursor = newest, inverted(newest), transaction.cursor
            self._held = _Held(read, transaction, cursor(databases[CELLS]), cursor(databases[INDEX]))
        except BaseException as error:
            read.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, *exc: Any) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.cells.close()
            held.entries.close()
            held.read.__exit__(*exc)

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        held = self._held or _not_entered()
        return self._found(held.transaction, held.cells, self._catalog.layouts[table, group], keys)

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        held = self._held or _not_entered()
        return self._marks(held.transaction, tables)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        held = self._held or _not_entered()
        table_id = self._catalog.layouts[table, ""].table_id
        return [walk.entries(held.entries, table_id, prefix, limit_each, after) for prefix in prefixes]


def _not_entered() -> _Held:
    raise UnavailableError("a still snapshot can be read inside `with` only")
