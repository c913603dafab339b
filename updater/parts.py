"""Units that were cut: earlier parts are kept in the Repo until the last one arrives, and then all are applied at once.

To hold the partition with `Retry` until one batch brings all the parts would need a batch as large as the unit, which
the engine's bound on bytes may never give: it would wait for ever. Kept in memory alone, parts would be lost with the
process, because the position has passed them. So they go into a table of the Repo, in the same durable commit as the
position, and leave it in the transaction that applies them.
"""

from proto.codec import encode_key
from proto.errors import InvalidMessageError
from proto.events import Unit, decode_unit
from repo.api import Snapshot, Transaction
from repo.system import PARTS, STATE


class Parts:
    """Parts of one source, in one transaction. Parts whose last one comes in the same batch never touch the store."""

    def __init__(self, snapshot: Snapshot, transaction: Transaction) -> None:
        self._snapshot, self._transaction = snapshot, transaction
        self._held: dict[bytes, tuple[Unit, bytes]] = {}

    def hold(self, unit: Unit, message: bytes) -> None:
        """A part that is not the last."""
        self._held[_key(unit, unit.part)] = (unit, message)

    def join(self, last: Unit) -> Unit:
        """The whole unit. Raises InvalidMessageError when an earlier part never came."""
        keys = [_key(last, part) for part in range(last.parts - 1)]
        stored = self._snapshot.read(PARTS, STATE, keys)
        tables = []
        for part, (key, version) in enumerate(zip(keys, stored, strict=True)):
            held = self._held.pop(key, None)
            if version is not None and version.value is not None:
                self._transaction.delete(PARTS, key, STATE)
            if held is not None:
                tables += held[0].tables
            elif version is not None and version.value is not None:
                tables += decode_unit(version.value).tables
            else:
                raise InvalidMessageError(
                    f"part {part + 1} of {last.parts} of the unit of {last.source!r} at position {last.position} never"
                    " came; `adsindex rebuild --data DIR` reads everything again"
                )
        last.tables = tables + last.tables
        return last

    def keep(self) -> None:
        """At the end of the batch: what still waits for its last part."""
        for key, (_, message) in self._held.items():
            self._transaction.write(PARTS, key, STATE, message)


def _key(unit: Unit, part: int) -> bytes:
    return encode_key((unit.source, unit.incarnation, unit.lane, unit.position, part))
