"""The in-memory twin of the embedded log, for tests and the simulator: same contract, one thread, nothing durable.

It keeps lists, and what would undo the open group.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from proto.errors import UnavailableError
from proto.ports.log import Message, PositionKey


class MemoryLog:
    """proto.ports.log.Log in lists. commits: groups that wrote something, so far."""

    def __init__(self) -> None:
        self.commits = 0
        self._messages: dict[tuple[str, int], list[bytes]] = {}
        self._first: dict[tuple[str, int], int] = {}
        self._owners: dict[str, dict[str, int]] = {}
        self._positions: dict[PositionKey, int] = {}
        self._depth = 0
        self._doomed = False
        self._undo: list[Callable[[], object]] = []

    @contextmanager
    def group(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        except BaseException:
            while self._undo:
                self._undo.pop()()
            self._doomed = self._depth > 1
            raise
        else:
            if self._depth == 1 and self._doomed:
                self._doomed = False
                raise UnavailableError("an error inside this group undid all of it; nothing was kept")
            if self._depth == 1 and self._undo:
                self._undo.clear()
                self.commits += 1
        finally:
            self._depth -= 1

    def writing(self) -> bool:
        return bool(self._undo)

    def last_commit(self) -> int:
        return self.commits

    def append(self, topic: str, partition: int, values: Sequence[bytes]) -> int:
        kept = self._messages.get((topic, partition), [])
        begin = self._first.get((topic, partition), 0) + len(kept)
        if values:
            with self._write():
                self._use(topic, partition)
                kept = self._messages[topic, partition]
                length = len(kept)
                kept.extend(values)
                self._undo.append(lambda: kept.__delitem__(slice(length, None)))
        return begin

    def read(self, topic: str, partition: int, offset: int, limit: int, bytes_max: int = 8 << 20) -> list[Message]:
        first, end = self.bounds(topic, partition)
        found: list[Message] = []
        size = 0
        for at in range(max(offset, first), min(end, max(offset, first) + limit)):
            value = self._messages[topic, partition][at - first]
            size += len(value)
            if size > bytes_max and found:
                break
            found.append(Message(at, value))
        return found

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        first = self._first.get((topic, partition), 0)
        return first, first + len(self._messages.get((topic, partition), []))

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        places = [(topic, number) for topic in topics for number in range(self.partitions(topic))]
        return {place: self.bounds(*place)[1] for place in places}

    def partition_of(self, topic: str, name: str) -> int:
        owners = self._owners.setdefault(topic, {})
        if name not in owners:
            with self._write():
                owners[name] = partition = self.partitions(topic)
                self._undo.append(lambda: owners.pop(name))
                self._use(topic, partition)
        return owners[name]

    def partitions(self, topic: str) -> int:
        return max((number + 1 for name, number in self._messages if name == topic), default=0)

    def position(self, consumer: str, topic: str, partition: int) -> int:
        saved = self._positions.get((consumer, topic, partition))
        return self.bounds(topic, partition)[0] if saved is None else saved

    def save_positions(self, positions: Mapping[PositionKey, int]) -> None:
        with self._write():
            for key, position in positions.items():
                self._save_position(key, position)

    def trim(self, topic: str, partition: int, before: int, limit: int = 1000) -> int:
        first, end = self.bounds(topic, partition)
        removed = max(0, min(before, end, first + limit) - first)
        if removed:
            with self._write():
                kept = self._messages[topic, partition]
                gone = kept[:removed]
                del kept[:removed]
                self._first[topic, partition] = first + removed
                self._undo.append(lambda: self._first.update({(topic, partition): first}))
                self._undo.append(lambda: kept.__setitem__(slice(0, 0), gone))
        return removed

    def _save_position(self, key: PositionKey, position: int) -> None:
        before = self._positions.get(key, -1)
        if position > before:
            self._positions[key] = position
            self._undo.append(
                lambda: self._positions.pop(key) if before < 0 else self._positions.__setitem__(key, before)
            )

    def _write(self) -> AbstractContextManager[None]:
        """A group in which something is written; refused in one that an error has undone."""
        if self._doomed:
            raise UnavailableError("an error inside this group undid all of it; nothing more can be written in it")
        return self.group()

    def _use(self, topic: str, partition: int) -> None:
        if (topic, partition) not in self._messages:
            self._messages[topic, partition] = []
            self._undo.append(lambda: self._messages.pop((topic, partition)))
