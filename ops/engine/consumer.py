"""A consumer: the partitions of one family of topics that this process has claimed, and how far each is processed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ops.engine.progress import Progress
from ops.engine.settings import EngineSettings
from proto.errors import CorruptionError
from proto.lane import Lane
from proto.ports.log import Log, Message

Claim = Callable[[str, str, int], bool]
"""(consumer, topic, partition) -> whether this process may consume it; asked again while the answer is no."""

_CLAIM_AGAIN_MS = 250.0


@dataclass(slots=True)
class Partition:
    """One that this process consumes. end: offset of its next message, when last looked."""

    topic: str
    number: int
    lane: Lane
    progress: Progress
    end: int = 0


@dataclass(slots=True)
class Taken:
    """Messages of one partition that are in a batch."""

    partition: Partition
    messages: list[Message]


def claim_all(consumer: str, topic: str, partition: int) -> bool:
    """For a process that is alone."""
    return True


class Consumer:
    """topics: lane -> topic. ordered: a message that waits holds its partition (see ops.engine.progress)."""

    def __init__(
        self, log: Log, name: str, topics: Mapping[Lane, str], settings: EngineSettings, *, ordered: bool,
        claim: Claim = claim_all,
    ) -> None:  # fmt: skip
        self.name, self.ordered, self.lanes = name, ordered, len(topics)
        self.skipped = 0
        self._log, self._topics, self._settings = log, dict(topics), settings
        self._lane_of = {topic: lane for lane, topic in topics.items()}
        self._names = tuple(topics.values())
        self._claim = claim
        self._claimed: dict[tuple[str, int], Partition] = {}
        self._of_lane: dict[Lane, list[Partition]] = {lane: [] for lane in topics}
        self._refused_ms: dict[tuple[str, int], float] = {}
        self._drop_below: dict[tuple[str, int], int] = {}
        self._begun: list[Partition] = []  # with messages in process
        self._turn = 0
        self._quiet_commit: int | None = None  # nothing was waiting then ...
        self._quiet_until_ms = 0.0  # ... and nothing is due before

    def waiting(self, now_ms: float) -> list[Lane]:
        """Lanes that have something to process now; claims partitions that are new."""
        commit = None if self._log.writing() else self._log.last_commit()
        if commit is not None and commit == self._quiet_commit and now_ms < self._quiet_until_ms:
            return []
        ends = self._log.ends(self._names)
        if len(self._claimed) < len(ends):
            self._claim_new(ends, now_ms)
        working: set[Lane] = set()
        for key, one in self._claimed.items():
            one.end = end = ends[key]
            # Below its position all is finished: most partitions have nothing to offer.
            if one.progress.position < end and one.progress.offer(now_ms, end, 1).offsets:
                working.add(one.lane)
        if not working:
            self._quiet_commit = commit
            self._quiet_until_ms = min([self.due_ms(frozenset()), *self._refused_ms.values()])
        return sorted(working)

    def drop_below(self, lane: Lane, bounds: Mapping[int, int]) -> None:
        """Somebody wants messages below these offsets dropped: partition -> offset."""
        self._drop_below.update({(self._topics[lane], number): offset for number, offset in bounds.items()})

    def to_drop(self, now_ms: float) -> Lane | None:
        """A lane with messages that are to be dropped, as far as `waiting` has just seen; paused or not."""
        for key, below in self._drop_below.items():
            held = self._claimed.get(key)
            if held is None or held.progress.position >= below:
                continue
            if held.progress.offer(now_ms, min(held.end, below), 1).offsets:
                return held.lane
        return None

    def take(self, lane: Lane, limit: int, now_ms: float, *, dropping: bool = False) -> list[Taken]:
        """Up to `limit` messages of one lane, from its partitions in turn, of those that `waiting` has just seen.

        dropping: only those that are to be dropped. They are in process until committed or undone.
        """
        held = self._of_lane[lane]
        self._turn += 1
        self._quiet_commit = None
        batch: list[Taken] = []
        for at in range(len(held)):
            partition = held[(self._turn + at) % len(held)]
            end = min(partition.end, self._below(partition)) if dropping else partition.end
            offsets, alone = partition.progress.offer(now_ms, end, limit)
            if not offsets or (alone and batch):
                continue
            messages = self._read(partition, offsets)
            if messages:
                partition.progress.begin([message.offset for message in messages])
                self._begun.append(partition)
                batch.append(Taken(partition, messages))
                limit -= len(messages)
            if alone or limit <= 0:
                break
        return batch

    def committed(self) -> None:
        """The group in which messages were taken is durable."""
        for partition in self._begun:
            partition.progress.committed()
        self._begun.clear()

    def undone(self) -> None:
        """The group was undone."""
        self._quiet_commit = None
        for partition in self._begun:
            partition.progress.undone()
        self._begun.clear()

    def behind(self, lane: Lane) -> int:
        """Messages not finished in this process's partitions, when last looked: free of cost."""
        return sum([one.end - one.progress.position for one in self._of_lane.get(lane, ())])

    def due_ms(self, paused: frozenset[Lane]) -> float:
        """When the next waiting message of a lane that is not paused is due."""
        due = [one.progress.due_ms() for lane, held in self._of_lane.items() if lane not in paused for one in held]
        return min(due, default=float("inf"))

    def backlog(self) -> dict[Lane, int]:
        """Messages not finished, by lane, in all partitions, whoever consumes them."""
        behind = dict.fromkeys(self._topics, 0)
        for topic, _, position, end in self.unfinished():
            behind[self._lane_of[topic]] += end - position
        return behind

    def unfinished(self) -> list[tuple[str, int, int, int]]:
        """(topic, partition, position, end) of those that are behind, whoever consumes them."""
        found = []
        for key, end in self._log.ends(self._names).items():
            held = self._claimed.get(key)
            position = held.progress.position if held is not None else self._log.position(self.name, *key)
            if position < end:
                found.append((*key, position, end))
        return found

    def first_unfinished(self) -> list[bytes]:
        """Of each partition that is behind, whoever consumes it: the first message that is not finished."""
        found: list[bytes] = []
        for topic, number, position, _ in self.unfinished():
            found += [message.value for message in self._log.read(topic, number, position, 1)]
        return found

    def _below(self, partition: Partition) -> int:
        return self._drop_below.get((partition.topic, partition.number), 0)

    def _claim_new(self, ends: Iterable[tuple[str, int]], now_ms: float) -> None:
        for topic, number in ends:
            key = (topic, number)
            if key in self._claimed or now_ms < self._refused_ms.get(key, now_ms):
                continue
            if not self._claim(self.name, topic, number):
                self._refused_ms[key] = now_ms + _CLAIM_AGAIN_MS
                continue
            # The position is read after the claim: whoever held it before may have saved a newer one.
            position = self._log.position(self.name, topic, number)
            progress = Progress(position, ordered=self.ordered, outstanding_max=self._settings.outstanding_max)
            lane = self._lane_of[topic]
            partition = self._claimed[key] = Partition(topic, number, lane, progress)
            self._of_lane[lane].append(partition)

    def _read(self, partition: Partition, offsets: Sequence[int]) -> list[Message]:
        """The messages at these offsets; fewer when they are too many bytes, or no longer retained."""
        topic, number, bytes_max = partition.topic, partition.number, self._settings.batch_bytes_max
        if isinstance(offsets, range):
            found = self._log.read(topic, number, offsets[0], len(offsets), bytes_max)
            if found and found[0].offset == offsets[0]:
                return found
        else:
            found = [message for offset in offsets for message in self._log.read(topic, number, offset, 1)]
            if [message.offset for message in found] == list(offsets):
                return found
        first = self._log.bounds(topic, number)[0]
        if first <= offsets[0]:
            raise CorruptionError(f"log: {topic}/{number} does not give message {offsets[0]}, though it is retained")
        self.skipped += partition.progress.skip_to(first)
        return []
