"""Removes versions that no snapshot can see any more, a slice at a time.

Of each cell the newest version at or below the watermark stays, unless it is a tombstone: then nothing stays.
"""

import lmdb

from repo.lmdb.catalog import Catalog
from repo.lmdb.environment import META, LmdbEnvironment
from repo.lmdb.layout import APART, CELLS, NEWEST, VALUES, inverted, stored_timestamp
from repo.lmdb.retention import Retention

_POSITION = b"gc_position"
_CODES = {CELLS: b"c", NEWEST: b"n"}

_Found = tuple[list[bytes], bytes | None]  # keys to delete; where to go on, None at the end


class GarbageCollector:
    """Looks without the writer lock, deletes with it. Its place in the store outlives the process."""

    def __init__(self, environment: LmdbEnvironment, catalog: Catalog, retention: Retention) -> None:
        self._environment, self._catalog, self._retention = environment, catalog, retention
        with environment.read() as transaction:
            stored = transaction.get(_POSITION, b"c", db=environment.database(META))
        self._place = (NEWEST if stored[:1] == _CODES[NEWEST] else CELLS, stored[1:])

    def collect(self, before: int, limit: int, now_ns: int) -> int:
        """Looks at about `limit` cells, from where the last call stopped or from the beginning; returns how many it deleted."""
        environment, (name, start) = self._environment, self._place
        find = _garbage_cells if name == CELLS else _garbage_newest
        with environment.read() as transaction:
            watermark = self._retention.wanted_watermark(transaction, before, now_ns)
            with transaction.cursor(environment.database(name)) as cursor:
                keys, position = find(cursor, start, watermark, limit)
        if position is not None:
            self._place = (name, position)
        else:
            self._place = (NEWEST if name == CELLS else CELLS, b"")
        return self._delete(name, keys, watermark, now_ns) if keys else 0

    def _delete(self, name: str, keys: list[bytes], watermark: int, now_ns: int) -> int:
        environment = self._environment
        with environment.write() as transaction:
            allowed = self._retention.wanted_watermark(transaction, watermark, now_ns)
            if allowed < watermark:
                return 0  # somebody has taken a lease in between; what was found is found again
            self._retention.move_watermark(transaction, allowed, now_ns)
            place = _CODES[self._place[0]] + self._place[1]
            transaction.put(_POSITION, place, db=environment.database(META))
            delete = self._delete_cell if name == CELLS else self._delete_newest
            return sum(delete(transaction, key, watermark) for key in keys)

    def _delete_cell(self, transaction: "lmdb.Transaction[bytes]", key: bytes, watermark: int) -> bool:
        value = transaction.pop(key, db=self._environment.database(CELLS))
        if value is not None and value[:1] == APART and self._catalog.is_large(key[:2], key[-9:-8]):
            transaction.delete(value[1:], db=self._environment.database(VALUES))
        return value is not None

    def _delete_newest(self, transaction: "lmdb.Transaction[bytes]", key: bytes, watermark: int) -> bool:
        database = self._environment.database(NEWEST)
        value = transaction.get(key, db=database)  # it may have been written since we looked
        return _is_old_tombstone(value, watermark) and transaction.delete(key, db=database)


def _garbage_cells(cursor: "lmdb.Cursor[bytes]", start: bytes, watermark: int, limit: int) -> _Found:
    """A tombstone is found after all that it hides: deleted before, it would bring the dead back."""
    garbage: list[bytes] = []
    newest_kept = inverted(watermark)
    more = cursor.set_range(start)
    for _ in range(limit):
        if not more:
            return garbage, None
        chain = cursor.key()[:-8]
        if cursor.key() < chain + newest_kept:
            more = cursor.set_range(chain + newest_kept)
            if not more or cursor.key()[:-8] != chain:
                continue
        kept, is_tombstone = cursor.key(), not cursor.value()
        more = cursor.next()
        while more and cursor.key()[:-8] == chain:
            if len(garbage) >= limit:
                return garbage, chain
            garbage.append(cursor.key())
            more = cursor.next()
        if is_tombstone:
            garbage.append(kept)
        if len(garbage) >= limit:
            break
    return garbage, cursor.key() if more else None


def _garbage_newest(cursor: "lmdb.Cursor[bytes]", start: bytes, watermark: int, limit: int) -> _Found:
    garbage: list[bytes] = []
    more = cursor.set_range(start)
    for _ in range(limit):
        if not more:
            return garbage, None
        if _is_old_tombstone(cursor.value(), watermark):
            garbage.append(cursor.key())
        more = cursor.next()
    return garbage, cursor.key() if more else None


def _is_old_tombstone(stored: bytes | None, watermark: int) -> bool:
    return stored is not None and len(stored) == 8 and stored_timestamp(stored) <= watermark
