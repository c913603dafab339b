"""The embedded log: topics, partitions and positions in the LMDB environment that holds the rows too.

Two databases. `log.messages`: topic id (2 bytes), partition (2), offset (8) -> message.
`log.state`: one byte that says what, then names:

    I                              -> next topic id
    T topic                        -> topic id, partitions in use
    B topic 0 partition            -> topic id, first retained offset, next offset (kept when all messages are trimmed)
    O topic 0 owner                -> partition that the owner holds
    P consumer 0 topic 0 partition -> position

LMDB fills pages when keys are appended at the end of a database; what is put behind the last of several partitions
leaves a third of each page free, when messages are as large as documents. So the documents topic, which has more bytes
than all others together, has the highest topic id.

Nothing is cached: several processes write, and a group may be undone. What grows is messages; `trim` removes them,
when ops.engine.retention says so.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING

from proto.errors import CorruptionError
from proto.events import DOCUMENTS
from proto.ports.log import Message, PositionKey
from repo.lmdb.environment import LmdbEnvironment

if TYPE_CHECKING:
    import lmdb

MESSAGES, STATE = "log.messages", "log.state"

_KEY = Struct(">HHQ")
_BOUNDS = Struct(">HQQ")
_TOPIC = Struct(">HH")
_PARTITION = Struct(">H")
_POSITION = Struct(">Q")
_NEXT_TOPIC_ID = b"I"
_LAST_TOPIC_ID = 0xFFFF  # of the documents topic; in a data folder of an older program it has another one
_NAMES_KEPT = 1024  # keys of as many topics and consumers are not put together again


class LmdbLog:
    """proto.ports.log.Log on LMDB. Safe for several threads and processes."""

    def __init__(self, environment: LmdbEnvironment) -> None:
        self._environment = environment
        self.group, self.writing = environment.group, environment.writing
        environment.database(MESSAGES)
        environment.database(STATE)

    def last_commit(self) -> int:
        # Not the environment's last_transaction_id: LMDB writes its meta page, where that stands, before it lets
        # readers see the commit, and syncs in between. Who looked in that moment would find nothing, and never again.
        with self._environment.read() as transaction:
            return transaction.id()

    def append(self, topic: str, partition: int, values: Sequence[bytes]) -> int:
        if not values:
            return self.bounds(topic, partition)[1]
        with self._environment.write() as transaction:
            return self.append_in(transaction, topic, partition, values)

    def append_in(
        self, transaction: "lmdb.Transaction[bytes]", topic: str, partition: int, values: Sequence[bytes]
    ) -> int:
        """The same within an open write transaction: messages that commit with the rows that they announce."""
        state = self._environment.databases[STATE]
        bounds_key = _bounds_key(topic, partition)
        stored = transaction.get(bounds_key, db=state)
        if stored is None:
            topic_id, first, begin = self._use_partition(transaction, topic, partition), 0, 0
        else:
            topic_id, first, begin = _BOUNDS.unpack(stored)
        pack, messages = _KEY.pack, self._environment.databases[MESSAGES]
        last = topic_id == _LAST_TOPIC_ID
        if len(values) == 1 and not last:
            transaction.put(pack(topic_id, partition, begin), values[0], db=messages)
        else:
            items = [(pack(topic_id, partition, offset), value) for offset, value in enumerate(values, begin)]
            with transaction.cursor(messages) as cursor:
                _, added = cursor.putmulti(items, append=last)
                if added < len(items):  # there are messages of a higher partition
                    cursor.putmulti(items)
        transaction.put(bounds_key, _BOUNDS.pack(topic_id, first, begin + len(values)), db=state)
        return begin

    def read(self, topic: str, partition: int, offset: int, limit: int, bytes_max: int = 8 << 20) -> list[Message]:
        with self._environment.read() as transaction:
            stored = transaction.get(_bounds_key(topic, partition), db=self._environment.databases[STATE])
            if stored is None:
                return []
            topic_id, first, end = _BOUNDS.unpack(stored)
            begin = max(offset, first)
            wanted = min(limit, end - begin)
            if wanted <= 0:
                return []
            key, messages = _KEY.pack(topic_id, partition, begin), self._environment.databases[MESSAGES]
            if wanted == 1 and (value := transaction.get(key, None, messages)) is not None:
                return [Message(begin, value)]
            with transaction.cursor(messages) as cursor:
                if not cursor.set_range(key):
                    raise CorruptionError(f"log: {topic}/{partition} has no message {begin}, though its bounds say so")
                values = islice(cursor.iternext(keys=False, values=True), wanted)
                return _bounded(begin, values, bytes_max)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        stored = self._environment.get(STATE, _bounds_key(topic, partition))
        if stored is None:
            return 0, 0
        _, first, end = _BOUNDS.unpack(stored)
        return first, end

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        found: dict[tuple[str, int], int] = {}
        with self._environment.read() as transaction:
            get, state = transaction.get, self._environment.databases[STATE]
            for topic in topics:
                stored = get(_topic_key(topic), None, state)
                for number in range(_TOPIC.unpack(stored)[1] if stored is not None else 0):
                    found[topic, number] = _BOUNDS.unpack(get(_bounds_key(topic, number), None, state) or b"")[2]
        return found

    def partition_of(self, topic: str, name: str) -> int:
        key = b"O" + topic.encode() + b"\0" + name.encode()
        stored = self._environment.get(STATE, key)
        if stored is None:
            with self._environment.write() as transaction:
                state = self._environment.databases[STATE]
                stored = transaction.get(key, db=state)  # again, under the lock
                if stored is None:
                    stored = _PARTITION.pack(_topic(transaction, state, topic)[1])
                    transaction.put(key, stored, db=state)
                    self._use_partition(transaction, topic, _PARTITION.unpack(stored)[0])
        partition: int = _PARTITION.unpack(stored)[0]
        return partition

    def partitions(self, topic: str) -> int:
        stored = self._environment.get(STATE, _topic_key(topic))
        return int(_TOPIC.unpack(stored)[1]) if stored is not None else 0

    def position(self, consumer: str, topic: str, partition: int) -> int:
        stored = self._environment.get(STATE, _position_key(consumer, topic, partition))
        if stored is None:
            return self.bounds(topic, partition)[0]
        position: int = _POSITION.unpack(stored)[0]
        return position

    def save_positions(self, positions: Mapping[PositionKey, int]) -> None:
        with self._environment.write() as transaction:
            state = self._environment.databases[STATE]
            for place, position in positions.items():
                key = _position_key(*place)
                stored = transaction.get(key, None, state)
                if stored is None or _POSITION.unpack(stored)[0] < position:
                    transaction.put(key, _POSITION.pack(position), db=state)

    def trim(self, topic: str, partition: int, before: int, limit: int = 1000) -> int:
        first, end = self.bounds(topic, partition)
        if min(before, end) <= first:
            return 0
        with self._environment.write() as transaction:
            state, bounds_key = self._environment.databases[STATE], _bounds_key(topic, partition)
            topic_id, first, end = _BOUNDS.unpack(transaction.get(bounds_key, db=state) or b"")
            removed: int = max(0, min(before, end, first + limit) - first)
            with transaction.cursor(self._environment.databases[MESSAGES]) as cursor:
                cursor.set_range(_KEY.pack(topic_id, partition, first))
                for _ in range(removed):
                    cursor.delete()
            transaction.put(bounds_key, _BOUNDS.pack(topic_id, first + removed, end), db=state)
        return removed

    def _use_partition(self, transaction: "lmdb.Transaction[bytes]", topic: str, partition: int) -> int:
        """Makes the partition known, if it is not yet; returns the topic's id."""
        state = self._environment.databases[STATE]
        topic_id, partitions = _topic(transaction, state, topic)
        if partition >= partitions:
            transaction.put(_topic_key(topic), _TOPIC.pack(topic_id, partition + 1), db=state)
        transaction.put(_bounds_key(topic, partition), _BOUNDS.pack(topic_id, 0, 0), overwrite=False, db=state)
        return topic_id


def _topic(transaction: "lmdb.Transaction[bytes]", state: "lmdb._Database", topic: str) -> tuple[int, int]:
    """(topic id, partitions in use); a topic that is new gets an id."""
    stored = transaction.get(_topic_key(topic), db=state)
    if stored is not None:
        topic_id, partitions = _TOPIC.unpack(stored)
        return topic_id, partitions
    if topic == DOCUMENTS:
        topic_id = _LAST_TOPIC_ID
    else:
        last = transaction.get(_NEXT_TOPIC_ID, db=state)
        topic_id = int.from_bytes(last, "big") if last is not None else 0
        transaction.put(_NEXT_TOPIC_ID, (topic_id + 1).to_bytes(2, "big"), db=state)
    transaction.put(_topic_key(topic), _TOPIC.pack(topic_id, 0), db=state)
    return topic_id, 0


def _bounded(begin: int, values: "islice[bytes]", bytes_max: int) -> list[Message]:
    """Messages until bytes_max is passed; at least one."""
    found: list[Message] = []
    size = 0
    for offset, value in enumerate(values, begin):
        size += len(value)
        if size > bytes_max and found:
            break
        found.append(Message(offset, value))
    return found


@lru_cache(maxsize=_NAMES_KEPT)
def _topic_key(topic: str) -> bytes:
    return b"T" + topic.encode()


@lru_cache(maxsize=_NAMES_KEPT)
def _bounds_key(topic: str, partition: int) -> bytes:
    return b"B" + topic.encode() + b"\0" + _PARTITION.pack(partition)


@lru_cache(maxsize=_NAMES_KEPT)
def _position_key(consumer: str, topic: str, partition: int) -> bytes:
    return b"P" + consumer.encode() + b"\0" + topic.encode() + b"\0" + _PARTITION.pack(partition)
