"""What becomes of the messages of a batch: outcome by outcome, into progress, dead letters and counts."""

from collections.abc import Iterable, Sequence

from ops.engine.backoff import retry_ms
from ops.engine.consumer import Partition, Taken
from ops.engine.counters import StageCounters
from ops.engine.settings import EngineSettings
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetterEntry, DeadLetters
from proto.ports.processor import DeadLetter, Done, Drop, Item, Outcome, Retry


def items_of(batch: Iterable[Taken]) -> list[Item]:
    """The messages of a batch, as a processor gets them."""
    items: list[Item] = []
    for taken in batch:
        partition = taken.partition
        lane, attempts = partition.lane, partition.progress.attempts
        place = f"{partition.topic}/{partition.number}@"
        items += [Item(value, lane, attempts(offset) + 1, place + str(offset)) for offset, value in taken.messages]
    return items


class Settler:
    """Applies outcomes inside the group of the batch. kind: of its dead letters."""

    def __init__(
        self, kind: str, dead_letters: DeadLetters, clock: Clock, settings: EngineSettings, ordered: bool
    ) -> None:
        self._kind, self._dead_letters = kind, dead_letters
        self._clock, self._settings, self._ordered = clock, settings, ordered

    def settle(self, batch: Sequence[Taken], items: Sequence[Item], outcomes: Sequence[Outcome]) -> StageCounters:
        """Returns what to count once the group is durable. Raises ValueError when an outcome is missing."""
        if len(outcomes) != len(items):
            raise ValueError(f"{len(items)} messages, {len(outcomes)} outcomes")
        counted = StageCounters(batches=1, items=len(items), batch_items_max=len(items))
        begin = 0
        for taken in batch:
            end = begin + len(taken.messages)
            self._settle_partition(taken, items[begin:end], outcomes[begin:end], counted)
            begin = end
        return counted

    def bury(self, partition: Partition, item: Item, offset: int, reason: str) -> StageCounters:
        """Makes one message a dead letter and goes on behind it."""
        self._dead_letters.put(self._letter(partition, item, reason))
        partition.progress.finish([offset])
        return StageCounters(dead_letters=1)

    def _settle_partition(
        self, taken: Taken, items: Sequence[Item], outcomes: Sequence[Outcome], counted: StageCounters
    ) -> None:
        finished: list[int] = []
        waits: list[tuple[int, float]] = []
        for (offset, _), item, outcome in zip(taken.messages, items, outcomes, strict=True):
            if isinstance(outcome, Done):
                counted.done += 1
            elif isinstance(outcome, Retry):
                counted.retried += 1
                wait_ms = retry_ms(outcome.after_ms, item.attempt, self._settings)
                waits.append((offset, self._clock.monotonic_ms() + wait_ms))
                if self._ordered:
                    break  # what follows is offered again after this one, whatever its outcome was
                continue
            elif isinstance(outcome, DeadLetter):
                counted.dead_letters += 1
                self._dead_letters.put(self._letter(taken.partition, item, outcome.reason))
            elif isinstance(outcome, Drop):
                counted.dropped += 1
            finished.append(offset)
        progress = taken.partition.progress
        if finished:
            progress.finish(finished)
        for offset, due_ms in waits:
            progress.again(offset, due_ms)

    def _letter(self, partition: Partition, item: Item, reason: str) -> DeadLetterEntry:
        now_ms = self._clock.now_ms()
        return DeadLetterEntry(
            stage=self._kind,
            subject=item.source,
            reason=reason,
            attempts=item.attempt,
            first_ms=now_ms,
            last_ms=now_ms,
            message=item.value,
            topic=partition.topic,
            partition=partition.number,
            lane=item.lane,
        )
