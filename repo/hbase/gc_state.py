"""What garbage collection has promised, in one cell: how far it has gone, and who holds it back.

One cell, changed by compare-and-set only, so that a lease and the watermark that it is to hold back can't race; with a
nonce in it, so that two processes never write equal bytes. It is written before anything is deleted, and read after
what it protects was read (F8, F12).
"""

from collections.abc import Callable
from itertools import count

import msgspec

from proto.errors import CorruptionError, TooOldError, UnavailableError
from repo.hbase.cells import Cells, Family

FAMILIES = {"s": Family(1)}
_ROW, _COLUMN = b"gc", b"s:state"
_ATTEMPTS = 100


class Lease(msgspec.Struct, array_like=True, frozen=True):
    """A long read. expiry_ns: wall clock, since 1970; then it ends by itself."""

    id: bytes
    timestamp: int
    expiry_ns: int


class GcState(msgspec.Struct, array_like=True, frozen=True):
    """watermark: versions that only snapshots below it can see may be gone. sweep_horizon: commit-table rows of ids
    below it may be gone; then the shadow cell at version = id decides (F8).

    position      (table, group, row): where the walk over all cells goes on
    heal_horizon  when that walk comes to its end, every committed version with an id below it has its shadow cell
    """

    watermark: int = 0
    sweep_horizon: int = 0
    heal_horizon: int = 0
    position: tuple[str, str, bytes] = ("", "", b"")
    leases: tuple[Lease, ...] = ()
    nonce: bytes = b""
    number: int = 0

    def check(self, timestamp: int) -> None:
        """Raises TooOldError when a snapshot at `timestamp` may have gaps."""
        if timestamp < self.watermark:
            raise TooOldError(
                f"nothing is kept as of {timestamp}; the oldest time that can be read is {self.watermark}"
            )


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(GcState).decode


class GcStateCell:
    """Safe for several processes. nonce: of this one, never used before. seen: the state that was read last."""

    def __init__(self, cells: Cells, table: str, nonce: bytes) -> None:
        self._cells, self._table, self._nonce = cells, table, nonce
        self._numbers = count()
        self.seen = GcState()

    def read(self) -> GcState:
        """As it is now."""
        self.seen = state = _decoded(self._stored())
        return state

    def check(self, timestamp: int) -> int:
        """To be called after the last read of a round: raises TooOldError when it may have met a gap (F12). Returns the
        gc watermark."""
        state = self.read()
        state.check(timestamp)
        return state.watermark

    def change(self, change: Callable[[GcState], GcState]) -> GcState:
        """Applies `change` to what is there, again whenever somebody else was faster. Returns what is stored then.

        It may be applied twice, when the answer of a first attempt is lost. Raises UnavailableError when it is not
        known whether it was applied.
        """
        for _ in range(_ATTEMPTS):
            stored = self._stored()
            old = _decoded(stored)
            new = change(old)
            if new == old:
                return old
            new = msgspec.structs.replace(new, nonce=self._nonce, number=next(self._numbers))
            if self._replaced(stored, _encode(new)):
                self.seen = new
                return new
        raise UnavailableError(f"{self._table} is changed by others all the time; try again later")

    def _replaced(self, old: bytes | None, new: bytes) -> bool:
        """A lost answer, and a "no" that may be a second attempt's, are told by what is stored."""
        for _ in range(_ATTEMPTS):
            try:
                if self._cells.check_and_put(self._table, _ROW, _COLUMN, old, new):
                    return True
            except UnavailableError:
                pass  # it may have happened
            stored = self._stored()
            if stored != old:
                return stored == new
        raise UnavailableError(f"{self._table} can be read and not written; whether it was is not known")

    def _stored(self) -> bytes | None:
        stored = self._cells.get(self._table, [_ROW], [_COLUMN]).get(_ROW)
        return stored[_COLUMN].value if stored else None


def _decoded(stored: bytes | None) -> GcState:
    try:
        return GcState() if stored is None else _decode(stored)
    except msgspec.DecodeError as error:
        raise CorruptionError(f"the state of garbage collection can't be read: {error}") from error
