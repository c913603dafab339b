"""Commits a list of transactions in one LMDB write transaction: conflict checks, then one batch of puts a database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import lmdb

from proto.errors import InvalidMessageError
from repo.api import Keep, Outcome, OutcomeKind, Transaction
from repo.lmdb.catalog import Catalog
from repo.lmdb.environment import META, LmdbEnvironment
from repo.lmdb.layout import (
    APART,
    APART_BYTES_MIN,
    CELLS,
    INDEX,
    INLINE,
    LAST_TIMESTAMP,
    NEWEST,
    TIMESTAMP,
    VALUE_KEY,
    VALUES,
    inverted,
    stored_timestamp,
    timestamp_of,
)

Append = Callable[["lmdb.Transaction[bytes]", str, int, Sequence[bytes]], None]
"""Appends messages to a partition of a topic: (write transaction, topic, partition, messages)."""

_Write = tuple[bytes, bytes | None]  # chain, value


@dataclass(slots=True)
class Prepared:
    """A transaction in the bytes of the store, made before the writer lock is taken. versioned, newest: chains to look at."""

    transaction: Transaction
    versioned: list[bytes] = field(default_factory=list)
    newest: list[bytes] = field(default_factory=list)
    versioned_writes: list[_Write] = field(default_factory=list)
    large_writes: list[_Write] = field(default_factory=list)
    newest_writes: list[_Write] = field(default_factory=list)
    index_writes: list[_Write] = field(default_factory=list)


def prepare(catalog: Catalog, transaction: Transaction) -> Prepared:
    """Raises SettingsError for an unknown table or group, InvalidMessageError for an empty value."""
    prepared = Prepared(transaction)
    layout_of = catalog.layout
    for (table, key, group), value in transaction.writes.items():
        table_id, group_id, keep, large = layout_of(table, group)
        if value is not None and not value:
            raise InvalidMessageError(f"an empty value can't be written to {table}.{group}; delete the cell instead")
        chain = table_id + key + group_id
        if keep is Keep.VERSIONED:
            prepared.versioned.append(chain)
            (prepared.large_writes if large else prepared.versioned_writes).append((chain, value))
        elif keep is Keep.NEWEST:
            prepared.newest.append(chain)
            prepared.newest_writes.append((chain, value))
        else:
            raise InvalidMessageError(f"{table} is an index; use write_index")
    for table, key, group in transaction.checks:
        table_id, group_id, keep, _ = layout_of(table, group)
        (prepared.versioned if keep is Keep.VERSIONED else prepared.newest).append(table_id + key + group_id)
    for (table, key), value in transaction.index_writes.items():
        prepared.index_writes.append((layout_of(table, "").table_id + key, value))
    return prepared


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
        self._last = stored_timestamp(transaction.get(LAST_TIMESTAMP, db=environment.database(META)))
        self._next = max(self._last + 1, now_ns)
        self._written: dict[bytes, int] = {}  # chain -> commit timestamp, of members of this batch
        self._cells: list[tuple[bytes, bytes]] = []
        self._values: list[tuple[bytes, bytes]] = []
        self._newest: list[tuple[bytes, bytes]] = []
        self._index: dict[bytes, bytes | None] = {}
        self._messages: dict[tuple[str, int], list[bytes]] = {}

    def run(self, members: Sequence[Prepared]) -> list[Outcome]:
        """In order; each member sees those before it as commits after its snapshot."""
        environment, transaction = self._environment, self._transaction
        outcomes = []
        with (
            transaction.cursor(environment.database(CELLS)) as cells,
            transaction.cursor(environment.database(NEWEST)) as newest,
        ):
            for member in members:
                outcome = self._refusal(member, cells, newest)
                outcomes.append(outcome or self._admit(member))
        return outcomes

    def store(self, append: Append) -> None:
        """Puts what the committed members wrote. A few calls, however many members."""
        environment, transaction = self._environment, self._transaction
        for name, items in ((CELLS, self._cells), (NEWEST, self._newest)):
            if items:
                with transaction.cursor(environment.database(name)) as cursor:
                    cursor.putmulti(items)
        if self._values:
            with transaction.cursor(environment.database(VALUES)) as cursor:
                cursor.putmulti(self._values, append=True)
        index = environment.database(INDEX)
        for key, value in self._index.items():
            if value is None:
                transaction.delete(key, db=index)
            else:
                transaction.put(key, value, db=index)
        for (topic, partition), messages in self._messages.items():
            append(transaction, topic, partition, messages)
        if self._next - 1 > self._last:
            transaction.put(LAST_TIMESTAMP, TIMESTAMP.pack(self._next - 1), db=environment.database(META))

    def _refusal(self, member: Prepared, cells: "lmdb.Cursor[bytes]", newest: "lmdb.Cursor[bytes]") -> Outcome | None:
        """Why the member can't commit: somebody committed, after its snapshot, a cell that it wrote or checked."""
        snapshot = member.transaction.snapshot_timestamp
        if snapshot < self._watermark:
            return Outcome(OutcomeKind.TOO_OLD, self._watermark)
        written, seek, key, get = self._written, cells.set_range, cells.key, newest.get
        after_snapshot = inverted(snapshot)
        for chain in member.versioned:
            if chain in written:
                return self._conflict(member, chain, written[chain])
            # chain <= key < chain + inverted snapshot: a version of this cell, newer than the snapshot
            if seek(chain) and (at := key()) < chain + after_snapshot:
                return self._conflict(member, chain, timestamp_of(at))
        packed = TIMESTAMP.pack(snapshot)
        for chain in member.newest:
            if chain in written:
                return self._conflict(member, chain, written[chain])
            stored = get(chain)
            if stored is not None and stored[:8] > packed:
                return self._conflict(member, chain, stored_timestamp(stored))
        return None

    def _admit(self, member: Prepared) -> Outcome:
        timestamp = self._next
        self._next += 1
        written, cells = self._written, self._cells
        suffix, packed = inverted(timestamp), TIMESTAMP.pack(timestamp)
        for chain, value in member.versioned_writes:
            written[chain] = timestamp
            cells.append((chain + suffix, value or b""))
        for number, (chain, value) in enumerate(member.large_writes):
            written[chain] = timestamp
            if value is None:
                value = b""
            elif len(value) < APART_BYTES_MIN:
                value = INLINE + value
            else:
                place = VALUE_KEY.pack(timestamp, number)
                self._values.append((place, value))
                value = APART + place
            cells.append((chain + suffix, value))
        for chain, value in member.newest_writes:
            written[chain] = timestamp
            self._newest.append((chain, packed + (value or b"")))
        self._index.update(member.index_writes)
        for topic, partition, payload in member.transaction.messages:
            self._messages.setdefault((topic, partition), []).append(packed + payload)
        return Outcome(OutcomeKind.COMMITTED, timestamp)

    def _conflict(self, member: Prepared, chain: bytes, timestamp: int) -> Outcome:
        transaction = member.transaction
        for cell in (*transaction.writes, *transaction.checks):
            layout = self._catalog.layout(cell.table, cell.group)
            if layout.table_id + cell.key + layout.group_id == chain:
                return Outcome(OutcomeKind.CONFLICT, timestamp, cell)
        raise AssertionError(f"no cell of the transaction has the chain {chain.hex()}")
