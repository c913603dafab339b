"""Removes versions that no snapshot can see any more, a slice at a time.

Of each cell the newest version at or below the watermark stays, unless it is a tombstone: then nothing stays.
"""

import lmdb

from repo.lmdb.catalog import Catalog
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.layout import APART, CELLS, UNVERSIONED, VALUES, inverted, stored_timestamp
from repo.lmdb.retention import Retention
from repo.lmdb.store import META

_POSITION = b"gc_position"


class GarbageCollector:
    """Looks without the writer lock, deletes with it. Its position in the store outlives the process."""

    def __init__(self, environment: LmdbEnvironment, catalog: Catalog, retention: Retention) -> None:
        self._environment, self._catalog, self._retention = environment, catalog, retention
        with environment.read() as transaction:
            self._position = transaction.get(_POSITION, b"", db=environment.databases[META])

    def collect(self, before: int, limit: int, now_ns: int) -> int:
        """Looks at about `limit` cells, from where the last call stopped; returns how many it deleted.

        After the last cell of the store comes the first.
        """
        environment = self._environment
        with environment.read() as transaction, transaction.cursor(environment.databases[CELLS]) as cursor:
            watermark = self._retention.wanted_watermark(transaction, before, now_ns)
            keys, self._position = _garbage(cursor, self._position, watermark, limit)
        if not keys:
            return 0
        with environment.write() as transaction:
            allowed = self._retention.wanted_watermark(transaction, watermark, now_ns)
            if allowed < watermark:
                return 0  # somebody has taken a lease in between; what was found will be found again
            self._retention.move_watermark(transaction, allowed, now_ns)
            transaction.put(_POSITION, self._position, db=environment.databases[META])
            return sum(self._delete(transaction, key, watermark) for key in keys)

    def _delete(self, transaction: "lmdb.Transaction[bytes]", key: bytes, watermark: int) -> bool:
        cells = self._environment.databases[CELLS]
        value = transaction.get(key, db=cells)
        if value is None:
            return False  # another process was faster
        if key[-8:] == UNVERSIONED and not _is_old_tombstone(value, watermark):
            return False  # it was written since we looked
        if value[:1] == APART and self._catalog.is_large(key[:2], key[-9:-8]):
            transaction.delete(value[1:], db=self._environment.databases[VALUES])
        return transaction.delete(key, db=cells)


def _garbage(cursor: "lmdb.Cursor[bytes]", start: bytes, watermark: int, limit: int) -> tuple[list[bytes], bytes]:
    """Returns keys to delete, and where to go on (b"": at the beginning)."""
    garbage: list[bytes] = []
    visible = inverted(watermark)
    more = cursor.set_range(start)
    for _ in range(limit):
        if not more or len(garbage) >= limit:
            break
        at = cursor.key()
        chain = at[:-8]
        if at[-8:] == UNVERSIONED:
            if _is_old_tombstone(cursor.value(), watermark):
                garbage.append(at)
            more = cursor.next()
        elif at < chain + visible:
            more = cursor.set_range(chain + visible)  # the newest version that the watermark sees, if there is one
            if more and cursor.key()[:-8] == chain:
                more = _older(cursor, chain, garbage, limit)
        else:
            more = _older(cursor, chain, garbage, limit)
    return garbage, cursor.key() if more else b""


def _older(cursor: "lmdb.Cursor[bytes]", chain: bytes, garbage: list[bytes], limit: int) -> bool:
    """Adds what lies behind the cursor in its chain; leaves the cursor on the next chain, or in a long one.

    A tombstone is added after all that it hides: deleted before, it would bring the dead back.
    """
    kept, is_tombstone = cursor.key(), not cursor.value()
    more = cursor.next()
    while more and (at := cursor.key())[:-8] == chain:
        if len(garbage) >= limit:
            cursor.set_key(kept)
            return True
        garbage.append(at)
        more = cursor.next()
    if is_tombstone:
        garbage.append(kept)
    return more


def _is_old_tombstone(stored: bytes, watermark: int) -> bool:
    return len(stored) == 8 and stored_timestamp(stored) <= watermark
