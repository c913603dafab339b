"""The oracle's state chain in one HBase cell, changed by compare-and-set from its old bytes to new ones only.

The bytes: format, owner's nonce, epoch, sequence, ceiling, and the (id, commit timestamp) pairs of the last batch. The
sequence grows, so no bytes ever come back, and a late or doubled compare-and-set changes nothing; the nonce keeps two
candidates from writing equal bytes and taking each other's success for their own.
"""

from collections.abc import Callable
from struct import Struct, pack, unpack_from
from typing import NamedTuple, Self

from proto.errors import CorruptionError, FencedError, UnavailableError
from repo.hbase.cells import Cells, Family
from repo.oracle.storage import Batch, Taken

FAMILIES = {"s": Family(versions=1)}
NONCE_BYTES = 16

_ROW, _COLUMN = b"oracle", b"s:state"
_FORMAT = 1
_HEAD = Struct(f">B{NONCE_BYTES}sqqqI")


class OracleState(NamedTuple):
    """One link of the chain."""

    nonce: bytes
    epoch: int
    sequence: int
    ceiling: int
    batch: Batch

    def encoded(self) -> bytes:
        head = _HEAD.pack(_FORMAT, self.nonce, self.epoch, self.sequence, self.ceiling, len(self.batch))
        return head + pack(f">{2 * len(self.batch)}q", *(number for pair in self.batch for number in pair))

    @classmethod
    def decoded(cls, stored: bytes) -> Self:
        """Raises CorruptionError."""
        if len(stored) < _HEAD.size or stored[0] != _FORMAT:
            raise CorruptionError(f"the oracle's state cell holds {stored[:40]!r}..., which no oracle has written")
        _, nonce, epoch, sequence, ceiling, count = _HEAD.unpack_from(stored)
        if len(stored) != _HEAD.size + 16 * count:
            raise CorruptionError(f"the oracle's state cell should hold {count} commits, and has {len(stored)} bytes")
        numbers = unpack_from(f">{2 * count}q", stored, _HEAD.size)
        return cls(nonce, epoch, sequence, ceiling, tuple(zip(numbers[::2], numbers[1::2], strict=True)))


_BEFORE_ALL = OracleState(bytes(NONCE_BYTES), epoch=0, sequence=0, ceiling=0, batch=())


class StateCell:
    """repo.oracle.storage.StateChain. Waits for the store as long as it takes; what was not answered is looked up."""

    def __init__(
        self, cells: Cells, table: str, nonce: bytes, pause: Callable[[int], None] = lambda attempt: None
    ) -> None:
        """nonce: NONCE_BYTES that no other candidate ever had. pause: as Oracle's."""
        self._cells, self._table, self._nonce, self._pause = cells, table, nonce, pause
        self._state = _BEFORE_ALL

    def take_over(self, now: int, window: int) -> Taken:
        while True:
            found = self._read()
            before = OracleState.decoded(found) if found is not None else _BEFORE_ALL
            mine = OracleState(
                self._nonce,
                epoch=before.ceiling,
                sequence=before.sequence + 1,
                ceiling=max(before.ceiling, now) + window,
                batch=before.batch,  # its rows may be missing: they stay in the chain until they are there
            )
            if self._replaced(found, mine):
                return Taken(mine.epoch, mine.ceiling, mine.batch)

    def advance(self, ceiling: int, batch: Batch) -> None:
        mine = self._state
        if not self._replaced(mine.encoded(), mine._replace(sequence=mine.sequence + 1, ceiling=ceiling, batch=batch)):
            raise FencedError("another oracle has taken over the state cell")

    def _replaced(self, before: bytes | None, state: OracleState) -> bool:
        """Whether `state` took the place of `before`. A "no" is believed only when the cell holds something else: it
        may be the answer of a gateway's second attempt, and a lost answer says nothing at all."""
        after = state.encoded()
        attempt = 0
        while not self._put(before, after):
            stored = self._read()
            if stored == after:
                break
            if stored != before:
                return False
            attempt += 1
            self._pause(attempt)
        self._state = state
        return True

    def _put(self, before: bytes | None, after: bytes) -> bool:
        try:
            return self._cells.check_and_put(self._table, _ROW, _COLUMN, before, after)
        except UnavailableError:
            return False

    def _read(self) -> bytes | None:
        attempt = 0
        while True:
            try:
                row = self._cells.get(self._table, [_ROW], [_COLUMN]).get(_ROW, {})
                return row[_COLUMN].value if _COLUMN in row else None
            except UnavailableError:
                attempt += 1
                self._pause(attempt)
