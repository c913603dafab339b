"""What was dropped on purpose, by key, until it is healed; kept in the transaction that drops or heals it.

A *drop order* says what a stage is to drop. For each row whose changes were dropped there is a record; a *pile* counts
those of a stage (and, where rows are read again from their source, of that source) that are not healed yet.

Garbage: records of healed rows go after the time for which versions are kept (`forget_healed`); an order is one row a
stage and lane, a pile one a stage and source.
"""

import msgspec
import xxhash

from proto.codec import encode_key, encode_scalar, successor
from repo.api import Repo, Snapshot, Transaction, Version
from repo.system import DROP_ORDERS, DROPPED, DROPS, STATE

UPDATER, ARGUS = "updater", "argus"
"""The stages that can drop: rows of source units; documents and handlers of notifications."""

_PAGE = 1000
_ATTEMPTS_MAX = 20

Move = tuple[str, bytes | None, bytes | None]
"""A reference of a changed row: name, old parent, new parent, as in proto.events.RowChange."""


class DropOrder(msgspec.Struct, array_like=True, kw_only=True):
    """Drop what is older than before_ms (wall clock) among the messages of a lane, up to an offset of each partition.

    by_policy: (wall clock, messages) of what a policy has ordered lately.
    """

    stage: str
    lane: int
    below: dict[int, int] = {}
    before_ms: float = 0.0
    reason: str = ""
    who: str = ""
    ordered_ms: float = 0.0
    by_policy: list[tuple[float, int]] = []


class DroppedRow(msgspec.Struct, array_like=True, kw_only=True):
    """A row whose changes were dropped.

    upto       the newest of them: position in the source (updater), commit timestamp (argus)
    raw        the key as the source gave it, by which it is read again (updater)
    columns, moves   what the dropped notifications said; no columns: perhaps all (argus)
    first_ms, dropped_ms   wall clock of the first and the last drop since it was healed last; times: how often
    healed_ms  0.0: not yet
    """

    stage: str
    source: str
    table: str
    key: bytes
    lane: int
    upto: int
    dropped_ms: float
    reason: str
    first_ms: float = 0.0
    times: int = 1
    raw: tuple[object, ...] = ()
    columns: tuple[str, ...] = ()
    moves: list[Move] = []
    healed_ms: float = 0.0


class Pile(msgspec.Struct, array_like=True):
    """open: rows that are not healed; at: documents may lack changes from this commit timestamp on (0: none);
    dropped, healed: rows, ever; since_ms: wall clock of the oldest drop that is not healed."""

    stage: str
    source: str = ""
    open: int = 0
    at: int = 0
    dropped: int = 0
    healed: int = 0
    since_ms: float = 0.0


_encode = msgspec.msgpack.Encoder().encode
_decode_order = msgspec.msgpack.Decoder(DropOrder).decode
_decode_row = msgspec.msgpack.Decoder(DroppedRow).decode
_decode_pile = msgspec.msgpack.Decoder(Pile).decode


class DropBook:
    """What one transaction drops and heals, of one stage and source. The last word about a row counts."""

    def __init__(self, stage: str, source: str = "") -> None:
        self._stage, self._source = stage, source
        self._rows: dict[bytes, DroppedRow | None] = {}
        self._at = 0

    def drop(self, row: DroppedRow, at: int = 0) -> None:
        """Changes of this row are not applied. at: commit timestamp of the oldest; 0: they never had one."""
        if at:
            self._at = min(self._at or at, at)
        key = _row_key(row.stage, row.source, row.table, row.key)
        known = self._rows.get(key)
        self._rows[key] = row if known is None else _merged(known, row)

    def heal(self, table: str, key: bytes) -> None:
        """The row is as its source has it, or its documents are: cheap for a row that was never dropped."""
        self._rows[_row_key(self._stage, self._source, table, key)] = None

    def write(self, snapshot: Snapshot, transaction: Transaction, now_ms: float) -> None:
        """Into the transaction that drops or heals the rows themselves."""
        if not self._rows:
            return
        pile_key = encode_key((self._stage, self._source))
        pile = _pile(snapshot.read(DROPS, STATE, [pile_key])[0]) or Pile(self._stage, self._source)
        before = _encode(pile)
        stored = snapshot.read(DROPPED, STATE, list(self._rows))
        for (key, row), version in zip(self._rows.items(), stored, strict=True):
            known = _row(version)
            is_open = known is not None and not known.healed_ms
            if row is not None:
                pile.dropped += not is_open
                pile.open += not is_open
                at = self._at or snapshot.timestamp + 1
                pile.at = min(pile.at or at, at)
                pile.since_ms = pile.since_ms or now_ms
                row = _merged(known, row) if known is not None and is_open else row
            elif known is not None and is_open:
                pile.healed += 1
                pile.open -= 1
                row = msgspec.structs.replace(known, healed_ms=now_ms)
            if row is not None:
                transaction.write(DROPPED, key, STATE, _encode(row))
        if not pile.open:
            pile.at, pile.since_ms = 0, 0.0
        if _encode(pile) != before:
            transaction.write(DROPS, pile_key, STATE, _encode(pile))


class Piles:
    """The piles of all stages and sources that have ever dropped something; read again only when one has changed."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._mark: bytes | None = None
        self._found: list[Pile] = []

    def now(self) -> list[Pile]:
        """Not to be changed."""
        with self._repo.snapshot() as snapshot:
            (mark,) = snapshot.change_marks([DROPS])
            if mark != self._mark:
                found = [_pile(version) for _, version in snapshot.scan(DROPS, STATE)]
                self._mark, self._found = mark, [pile for pile in found if pile is not None]
        return self._found

    def holds(self) -> list[int]:
        """Commit timestamps that readers must not be told to have: documents may lack changes from there on."""
        return [pile.at for pile in self.now() if pile.at]


def dropped_rows(
    snapshot: Snapshot, stage: str = "", source: str | None = None, after: bytes = b"", limit: int = _PAGE
) -> tuple[list[DroppedRow], bytes]:
    """A page of rows, healed ones among them, of a stage and a source if named; and where the next one begins (b"":
    that was all)."""
    prefix = b"".join(map(encode_scalar, [stage] if source is None else [stage, source])) if stage else b""
    before = successor(prefix) if prefix else None
    page = snapshot.scan(DROPPED, STATE, max(after, prefix), before, limit)
    rows = [row for _, version in page if (row := _row(version)) is not None]
    return rows, page[-1][0] if len(page) == limit else b""


def open_rows(snapshot: Snapshot, limit: int) -> list[DroppedRow]:
    """Some rows that are not healed."""
    found: list[DroppedRow] = []
    after = b""
    while len(found) < limit:
        rows, after = dropped_rows(snapshot, after=after)
        found += [row for row in rows if not row.healed_ms]
        if not after:
            break
    return found[:limit]


def dropped_row(snapshot: Snapshot, stage: str, source: str, table: str, key: bytes) -> DroppedRow | None:
    """What was dropped of one row, also when it is healed; None: nothing. source: "" for the stage argus."""
    return _row(snapshot.read(DROPPED, STATE, [_row_key(stage, source, table, key)])[0])


def drop_orders(snapshot: Snapshot) -> list[DropOrder]:
    """The newest of each stage and lane, carried out or not."""
    return [_decode_order(version.value) for _, version in snapshot.scan(DROP_ORDERS, STATE) if version.value]


def order_drop(repo: Repo, order: DropOrder) -> bool:
    """Adds to what was ordered before; False: somebody else orders all the time."""
    key = encode_key((order.stage, int(order.lane)))
    for _ in range(_ATTEMPTS_MAX):
        with repo.snapshot() as snapshot:
            (version,) = snapshot.read(DROP_ORDERS, STATE, [key])
            transaction = Transaction(snapshot.timestamp)
        if version is not None and version.value:
            known = _decode_order(version.value)
            below = {at: max(known.below.get(at, 0), offset) for at, offset in order.below.items()}
            order = msgspec.structs.replace(
                order,
                below={**known.below, **below},
                before_ms=max(order.before_ms, known.before_ms),
                by_policy=order.by_policy or known.by_policy,
            )
        transaction.write(DROP_ORDERS, key, STATE, _encode(order))
        if repo.commit([transaction])[0].committed:
            return True
    return False


def forget_healed(repo: Repo, healed_before_ms: float, after: bytes, limit: int) -> bytes:
    """Removes records of rows that were healed before then, of about `limit` that it looks at; returns where to go on,
    b"": from the beginning."""
    with repo.snapshot() as snapshot:
        rows, following = dropped_rows(snapshot, after=after, limit=limit)
        transaction = Transaction(snapshot.timestamp)
    for row in rows:
        if 0.0 < row.healed_ms < healed_before_ms:
            transaction.delete(DROPPED, _row_key(row.stage, row.source, row.table, row.key), STATE)
    if transaction.writes:
        repo.commit([transaction])  # in conflict with a new drop: another time
    return following


def _merged(known: DroppedRow, new: DroppedRow) -> DroppedRow:
    """Several drops of one row, as one."""
    columns = tuple(dict.fromkeys((*known.columns, *new.columns))) if known.columns and new.columns else ()
    return msgspec.structs.replace(
        new,
        lane=min(known.lane, new.lane),
        upto=max(known.upto, new.upto),
        first_ms=known.first_ms or known.dropped_ms,
        times=known.times + new.times,
        columns=columns,
        moves=list(dict.fromkeys((*known.moves, *new.moves))),
    )


def _row_key(stage: str, source: str, table: str, key: bytes) -> bytes:
    """A row's own key may be as long as keys can be, so only its hash stands in this one."""
    return encode_key((stage, source, table, xxhash.xxh3_128_digest(key)))


def _row(version: Version | None) -> DroppedRow | None:
    return _decode_row(version.value) if version is not None and version.value else None


def _pile(version: Version | None) -> Pile | None:
    return _decode_pile(version.value) if version is not None and version.value else None
