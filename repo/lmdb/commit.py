"""Commits a list of transactions in one LMDB write transaction: conflict checks, then one batch of puts a database."""

from collections.abc import Callable, Sequence
from itertools import count

import lmdb

from proto.errors import InvalidMessageError
from repo.api import Keep, Outcome, OutcomeKind, Transaction
from repo.lmdb.catalog import Catalog
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.layout import (
    APART,
    APART_BYTES_MIN,
    CELLS,
    INDEX,
    INLINE,
    LAST_TIMESTAMP,
    TABLE_ID_BYTES,
    TIMESTAMP,
    UNVERSIONED,
    VALUE_KEY,
    VALUES,
    Layout,
    inverted,
    mark_key,
    stored_timestamp,
    timestamp_of,
)
from repo.lmdb.store import META

Append = Callable[["lmdb.Transaction[bytes]", str, int, Sequence[bytes]], object]
"""Appends messages to a partition of a topic: (write transaction, topic, partition, messages)."""


_numbers = count()  # of commits of this process, undone ones included
_NEWEST, _INDEX = Keep.NEWEST, Keep.INDEX  # found at once; a member of an Enum takes as long as a put


class Prepared:
    """A transaction in the bytes of the store, made before the writer lock is taken.

    chains   to look at for conflicts: of writes and checks
    writes   (layout, chain, value or None)
    index    (entry's key, value or None)
    """

    __slots__ = ("chains", "index", "transaction", "writes")

    def __init__(self, catalog: Catalog, transaction: Transaction) -> None:
        """Raises SettingsError for an unknown table or group, InvalidMessageError for an empty value."""
        self.transaction = transaction
        self.chains: list[bytes] = []
        self.writes: list[tuple[Layout, bytes, bytes | None]] = []
        self.index: list[tuple[bytes, bytes | None]] = []
        layouts, add_chain, add_write = catalog.layouts, self.chains.append, self.writes.append
        for cells, checked in ((transaction.writes, True), (transaction.companions, False)):
            for (table, key, group), value in cells.items():
                layout = layouts[table, group]
                table_id, group_id, keep, _ = layout
                if value == b"" or keep is _INDEX:
                    raise InvalidMessageError(_why_not(table, group, layout))
                chain = table_id + key + group_id
                add_write((layout, chain, value))
                if checked:
                    add_chain(chain)
        for table, key, group in transaction.checks:
            layout = layouts[table, group]
            if layout.keep is _INDEX:
                raise InvalidMessageError(f"{table!r} is an index: its entries have no versions to check")
            add_chain(layout.table_id + key + layout.group_id)
        for (table, key), value in transaction.index_writes.items():
            self.index.append((layouts[table, ""].table_id + key, value))


class CommitBatch:
    """Under the writer lock. Nothing is decoded or merged here: a cell is put as it was prepared."""

    def __init__(
        self,
        environment: LmdbEnvironment,
        catalog: Catalog,
        transaction: "lmdb.Transaction[bytes]",
        watermark: int,
        now_ns: int,
    ) -> None:
        """watermark: transactions with an older snapshot are too old."""
        self._environment, self._catalog, self._transaction = environment, catalog, transaction
        self._watermark = watermark
        self._last = stored_timestamp(transaction.get(LAST_TIMESTAMP, db=environment.databases[META]))
        self._next = max(self._last + 1, now_ns)
        self._written: dict[bytes, int] = {}  # chain -> commit timestamp, of members of this batch
        self._cells: list[tuple[bytes, bytes]] = []
        self._values: list[tuple[bytes, bytes]] = []
        self._index: dict[bytes, bytes | None] = {}
        self._messages: dict[tuple[str, int], list[bytes]] = {}
        self._touched: set[bytes] = set()  # ids of tables

    def run(self, members: Sequence[Prepared]) -> list[Outcome]:
        """In order; each member sees those before it as commits after its snapshot."""
        with self._transaction.cursor(self._environment.databases[CELLS]) as cursor:
            return [self._refusal(member, cursor) or self._admit(member) for member in members]

    def store(self, append: Append) -> None:
        """Puts what the committed members wrote. A few calls, however many members."""
        environment, transaction = self._environment, self._transaction
        self._cells.sort()  # so that the next one is mostly on the page where the cursor stands
        with transaction.cursor(environment.databases[CELLS]) as cursor:
            cursor.putmulti(self._cells)
        if self._values:
            with transaction.cursor(environment.databases[VALUES]) as cursor:
                cursor.putmulti(self._values, append=True)
        index = environment.databases[INDEX]
        for key, value in self._index.items():
            if value is None:
                transaction.delete(key, db=index)
            else:
                transaction.put(key, value, db=index)
        for (topic, partition), messages in self._messages.items():
            append(transaction, topic, partition, messages)
        if self._next - 1 > self._last:
            newest, meta = TIMESTAMP.pack(self._next - 1), environment.databases[META]
            transaction.put(LAST_TIMESTAMP, newest, db=meta)
            # Not the timestamp alone: a group that is undone may be followed by one with the same.
            mark = newest + environment.nonce + TIMESTAMP.pack(next(_numbers))
            for table_id in self._touched:
                transaction.put(mark_key(table_id), mark, db=meta)

    def _refusal(self, member: Prepared, cursor: "lmdb.Cursor[bytes]") -> Outcome | None:
        """Why the member can't commit: somebody committed, after its snapshot, a cell that it wrote or checked."""
        snapshot = member.transaction.snapshot_timestamp
        if snapshot < self._watermark:
            return Outcome(OutcomeKind.TOO_OLD, self._watermark)
        written = self._written
        if written and not written.keys().isdisjoint(member.chains):
            chain = next(chain for chain in member.chains if chain in written)
            return self._conflict(member, chain, written[chain])
        if self._last <= snapshot:
            return None  # nobody else has committed anything since
        seek, key, after_snapshot = cursor.set_range, cursor.key, inverted(snapshot)
        for chain in member.chains:
            # chain <= at < chain + inverted snapshot: the newest version of this cell, newer than the snapshot
            if seek(chain) and (at := key()) < chain + after_snapshot:
                timestamp = stored_timestamp(cursor.value()) if at[-8:] == UNVERSIONED else timestamp_of(at)
                if timestamp > snapshot:
                    return self._conflict(member, chain, timestamp)
        return None

    def _admit(self, member: Prepared) -> Outcome:
        timestamp = self._next
        self._next += 1
        written, add = self._written, self._cells.append
        suffix, packed = inverted(timestamp), TIMESTAMP.pack(timestamp)
        touched = self._touched.add
        for (table_id, _, keep, is_large), chain, value in member.writes:
            written[chain] = timestamp
            touched(table_id)
            if keep is _NEWEST:
                add((chain + UNVERSIONED, packed + (value or b"")))
            elif is_large and value:
                add((chain + suffix, self._large(timestamp, value)))
            else:
                add((chain + suffix, value or b""))
        if member.index:
            self._index.update(member.index)
            self._touched.update(key[:TABLE_ID_BYTES] for key, _ in member.index)
        for topic, partition, payload in member.transaction.messages:
            self._messages.setdefault((topic, partition), []).append(packed + payload)
        return Outcome(OutcomeKind.COMMITTED, timestamp)

    def _large(self, timestamp: int, value: bytes) -> bytes:
        """What the cell holds; the value itself goes to the end of `values`."""
        if len(value) < APART_BYTES_MIN:
            return INLINE + value
        place = VALUE_KEY.pack(timestamp, len(self._values))
        self._values.append((place, value))
        return APART + place

    def _conflict(self, member: Prepared, chain: bytes, timestamp: int) -> Outcome:
        transaction = member.transaction
        for cell in (*transaction.writes, *transaction.checks):
            layout = self._catalog.layouts[cell.table, cell.group]
            if layout.table_id + cell.key + layout.group_id == chain:
                return Outcome(OutcomeKind.CONFLICT, timestamp, cell)
        raise AssertionError(f"no cell of the transaction has the chain {chain.hex()}")


def _why_not(table: str, group: str, layout: Layout) -> str:
    if layout.keep is _INDEX:
        return f"{table!r} is an index; use write_index"
    return f"an empty value can't be written to group {group!r} of {table!r}; delete the cell instead"
