"""How far the capture of a source is: kept in the log itself, because the gateway has no other store.

Each unit carries its position. What units can't carry (which tables are bootstrapped, how far, which are parked) is a
message in a topic of its own, written in the same group as the unit that moved it; only the newest of these counts, so
the older ones are trimmed. At start both are read back.
"""

from typing import Any

import msgspec

from gateway.capture.port import Mark
from gateway.route import topic
from proto.events import CAPTURES, Unit, decode_unit
from proto.flows.model import ReadColumns
from proto.lane import Lane
from proto.ports.log import Log

Key = tuple[Any, ...]


class TableProgress(msgspec.Struct, array_like=True):
    """One table. columns: (name, type, lane) as they were when it was last read; parked: why, "" when it is not.

    late    it was parked before its first reading ended: documents may be live without its rows
    """

    columns: ReadColumns
    signature: str = ""
    bootstrapped: bool = False
    parked: str = ""
    late: bool = False


class Task(msgspec.Struct, array_like=True):
    """A table, or a part of it, to be read by chunks.

    first    rows that nobody has seen yet: without notifications
    after, through   range of keys, None: open; keys: only these
    cursor   last key that was read, and `bound`, the encoded key up to which a span was sent
    gone     look for rows that are no longer there: the chunks have spans
    """

    table: str
    first: bool
    gone: bool = True
    after: Key | None = None
    through: Key | None = None
    keys: list[Key] | None = None
    cursor: Key | None = None
    bound: bytes = b""


class Progress(msgspec.Struct, array_like=True):
    """Everything that a new process needs to go on where another one was killed.

    sent: lane -> position of the last stream unit; finished: tables whose first bootstrap ended, not yet announced.
    """

    identity: str
    incarnation: int
    position: int = 0
    at_ms: float = 0.0
    sent: dict[int, int] = {}
    tables: dict[str, TableProgress] = {}
    tasks: list[Task] = []
    finished: list[str] = []
    schema_version: int = -1
    digest: str = ""

    @property
    def mark(self) -> Mark:
        return Mark(self.position, self.at_ms)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Progress).decode


class ProgressLog:
    """Reads and writes the progress of one source, and appends its units."""

    def __init__(self, log: Log, source: str) -> None:
        self._log = log
        self._partitions = {topic(lane): log.partition_of(topic(lane), source) for lane in Lane}
        self._partitions[CAPTURES] = log.partition_of(CAPTURES, source)
        self._ends: dict[str, int] = {}

    def load(self) -> Progress | None:
        """What the log holds now; None for a source that it has never seen."""
        self._ends = {name: self._log.bounds(name, partition)[1] for name, partition in self._partitions.items()}
        stored = self._last(CAPTURES)
        if stored is None:
            return None
        progress = _decode(stored)
        for lane in Lane:
            value = self._last(topic(lane))
            if value is not None:
                _take_over(progress, lane, decode_unit(value))
        return progress

    def save(self, progress: Progress) -> None:
        """Durable with the group around it."""
        self._append(CAPTURES, [_encode(progress)])
        self._log.trim(CAPTURES, self._partitions[CAPTURES], self._ends[CAPTURES] - 1)

    def append(self, lane: Lane, messages: list[bytes]) -> None:
        """Units, encoded, in order, at once."""
        self._append(topic(lane), messages)

    def holds(self) -> bool:
        """Whether the log ends where this object has left it: no group was undone, nobody else has written."""
        return all(self._log.bounds(name, self._partitions[name])[1] == end for name, end in self._ends.items())

    def _append(self, name: str, messages: list[bytes]) -> None:
        self._ends[name] = self._log.append(name, self._partitions[name], messages) + len(messages)

    def _last(self, name: str) -> bytes | None:
        first, end = self._log.bounds(name, self._partitions[name])
        found = self._log.read(name, self._partitions[name], end - 1, 1) if end > first else []
        return found[-1].value if found else None


def _take_over(progress: Progress, lane: Lane, unit: Unit) -> None:
    """A stream unit that was sent after the progress was saved. One whose parts are not all there does not count."""
    whole = unit.kind == "stream" and unit.incarnation == progress.incarnation and unit.part == unit.parts - 1
    if whole and unit.position > progress.sent.get(lane, 0):
        progress.sent[lane] = unit.position
    if whole and unit.position > progress.position:
        progress.position, progress.at_ms = unit.position, unit.commit_ms
