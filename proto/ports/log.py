"""The log: named topics, numbered partitions, dense offsets, durable consumer positions.

Terms. An *offset* is the place of a message in its partition, from 0, without gaps while it is retained. A
*position* is the offset of the next message that a consumer group has to process: everything below it is done. A
position that was saved is durable with whatever was written in the same group commit (`Durable.group`).
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

PositionKey = tuple[str, str, int]
"""Consumer group, topic, partition."""


class Message(NamedTuple):
    """One message as read. topic and partition are the reader's arguments."""

    offset: int
    value: bytes


class Durable(Protocol):
    """Several writes, one durable commit."""

    def group(self) -> AbstractContextManager[None]:
        """All that is written inside (log and Repo alike) becomes durable and visible at exit, together; an
        exception undoes all of it.

        Nests: only the outermost exit commits. Takes no lock before the first write. Reads inside see the group's
        own writes. Raises UnavailableError when the disk is full (nothing of the group is kept).
        """
        ...

    def writing(self) -> bool:
        """Whether this thread's group has begun to write: what is added to it now costs no commit of its own."""
        ...


class Log(Durable, Protocol):
    """Embedded: LMDB. Cluster: Kafka."""

    def last_commit(self) -> int:
        """A number that changes with each commit, of any process: a cheap look at whether anything can be new.

        What is read after it was asked for is at least as new as the commit that it names.
        """
        ...

    def append(self, topic: str, partition: int, values: Sequence[bytes]) -> int:
        """Returns the offset of the first. Durable when it returns, or at the end of the group."""
        ...

    def read(self, topic: str, partition: int, offset: int, limit: int, bytes_max: int = 8 << 20) -> list[Message]:
        """Up to `limit` messages from `offset` (or from the first that is retained, if that is later), at least one
        when there is one."""
        ...

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """(first retained offset, offset of the next append); (0, 0) for a topic that was never written."""
        ...

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Offset of the next append for every partition of these topics that is in use: one look for many `bounds`."""
        ...

    def partition_of(self, topic: str, name: str) -> int:
        """The partition that `name` owns in `topic`; allocated, durably, when it is first asked for."""
        ...

    def partitions(self, topic: str) -> int:
        """How many partitions have been written or allocated."""
        ...

    def position(self, consumer: str, topic: str, partition: int) -> int:
        """Where the consumer group goes on; the first retained offset when it never saved one."""
        ...

    def save_positions(self, positions: Mapping[PositionKey, int]) -> None:
        """Together. Positions never go back: a lower one is ignored."""
        ...

    def trim(self, topic: str, partition: int, before: int, limit: int = 1000) -> int:
        """Deletes at most `limit` messages below `before`; returns how many it deleted."""
        ...
