"""How far back snapshots may go: the gc watermark and the leases that hold it back, kept in the store."""

from struct import Struct

import lmdb

from proto.errors import TooOldError
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.layout import LAST_TIMESTAMP, TIMESTAMP, stored_timestamp
from repo.lmdb.store import META

_WATERMARK = b"gc_watermark"
_LEASE_PREFIX = b"lease/"
_LEASE = Struct(">QQ")  # snapshot's timestamp, expiry as wall clock in ns


class Retention:
    """Reads and writes the watermark and the leases, in the caller's LMDB transactions."""

    def __init__(self, environment: LmdbEnvironment) -> None:
        self._environment = environment

    def watermark(self, transaction: "lmdb.Transaction[bytes]") -> int:
        """Versions that only snapshots below it could see may be gone."""
        return stored_timestamp(transaction.get(_WATERMARK, db=self._environment.databases[META]))

    def check(self, transaction: "lmdb.Transaction[bytes]", timestamp: int) -> None:
        """Raises TooOldError when a snapshot at `timestamp` may have gaps."""
        watermark = self.watermark(transaction)
        if timestamp < watermark:
            raise TooOldError(f"nothing is kept as of {timestamp}; the oldest time that can be read is {watermark}")

    def wanted_watermark(self, transaction: "lmdb.Transaction[bytes]", before: int, now_ns: int) -> int:
        """How far the watermark may move: `before`, but not past a live lease or the newest commit; never back."""
        meta = self._environment.databases[META]
        newest = stored_timestamp(transaction.get(LAST_TIMESTAMP, db=meta))
        leased = [timestamp for _, timestamp, expiry in self._leases(transaction) if expiry > now_ns]
        return max(self.watermark(transaction), min(before, newest, *leased))

    def move_watermark(self, transaction: "lmdb.Transaction[bytes]", watermark: int, now_ns: int) -> None:
        """Also forgets leases that have expired."""
        meta = self._environment.databases[META]
        transaction.put(_WATERMARK, TIMESTAMP.pack(watermark), db=meta)
        for key, _, expiry in self._leases(transaction):
            if expiry <= now_ns:
                transaction.delete(key, db=meta)

    def take_lease(self, lease_id: bytes, timestamp: int, expiry_ns: int) -> None:
        """Durable when it returns. Raises TooOldError when it is too late."""
        with self._environment.write() as transaction:
            self.check(transaction, timestamp)
            record = _LEASE.pack(timestamp, expiry_ns)
            transaction.put(_LEASE_PREFIX + lease_id, record, db=self._environment.databases[META])

    def release_lease(self, lease_id: bytes) -> None:
        """It may have expired."""
        with self._environment.write() as transaction:
            transaction.delete(_LEASE_PREFIX + lease_id, db=self._environment.databases[META])

    def _leases(self, transaction: "lmdb.Transaction[bytes]") -> list[tuple[bytes, int, int]]:
        found = []
        with transaction.cursor(self._environment.databases[META]) as cursor:
            more = cursor.set_range(_LEASE_PREFIX)
            while more and cursor.key().startswith(_LEASE_PREFIX):
                found.append((cursor.key(), *_LEASE.unpack(cursor.value())))
                more = cursor.next()
        return found
