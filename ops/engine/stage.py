"""A stage: drives one processor from one family of topics, and does with each message what its outcome asks for."""

from ops.engine.backoff import Backoff, backoff_ms
from ops.engine.consumer import Consumer, Taken
from ops.engine.counters import StageCounters
from ops.engine.lanes import Choice, Lanes
from ops.engine.outcomes import Settler, items_of
from ops.engine.positions import Positions
from ops.engine.settings import EngineSettings
from proto.errors import ConflictError, OutcomeUnknownError, SettingsError, TooOldError, UnavailableError, named
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetters
from proto.ports.processor import Item, Processor

PASSING_ERRORS = (UnavailableError, ConflictError, OutcomeUnknownError, TooOldError, SettingsError)
"""No message is to blame for these: the batch is tried again, for ever."""

_FIRST_GUESS_MS = 0.05  # of the time that one message takes, until it was measured
_DROP_MS = 20.0  # aimed length of a batch that is dropped
_EASE = 0.3  # how fast the measure follows when messages get cheaper; it follows at once when they get dearer


class Stage:
    """A step (ops.engine.step): one batch of one lane at a time.

    kind     of its dead letters: "apply", "build", "publish"
    dropper  gets the messages that are to be dropped (Consumer.drop_below), ahead of all others, in paused lanes too

    Which batch `step` has taken it keeps until the next `step`: `committed` counts it, `failed` blames it.
    """

    def __init__(
        self, kind: str, processor: Processor, consumer: Consumer, lanes: Lanes, positions: Positions,
        dead_letters: DeadLetters, clock: Clock, settings: EngineSettings, *,
        dropper: Processor | None = None,
    ) -> None:  # fmt: skip
        self.name = consumer.name
        self.consumer, self.lanes = consumer, lanes
        self.counters = StageCounters()
        self._processor, self._dropper, self._positions = processor, dropper or processor, positions
        self._clock, self._settings = clock, settings
        self._settler = Settler(kind, dead_letters, clock, settings, consumer.ordered)
        self._item_ms = dict.fromkeys(Lane, _FIRST_GUESS_MS)
        self._batch: list[Taken] = []
        self._choice: Choice | None = None
        self._counted: StageCounters | None = None
        self._began_ms = 0.0
        self._tells = consumer.lanes > 1  # what stands in a topic of all lanes says nothing about their traffic
        self._backoff = Backoff(settings)  # of passing errors
        self._reasons: dict[tuple[str, int, int], str] = {}  # of messages that raised when they were alone

    def step(self) -> bool:
        """The lane decides how long a batch may take. True also when only positions moved."""
        self._batch, self._counted = [], None
        self._began_ms = now_ms = self._clock.monotonic_ms()
        waiting = self.consumer.waiting(now_ms)
        stale = self.consumer.to_drop(now_ms)
        dropping = stale is not None
        choice = self.lanes.choose(waiting, now_ms, tells=self._tells) if stale is None else Choice(stale, _DROP_MS)
        self._choice = choice
        if choice is None:
            return False
        limit = int(min(max(choice.budget_ms / self._item_ms[choice.lane], 1), self._settings.batch_items_max))
        self._batch = self.consumer.take(choice.lane, limit, now_ms, dropping=dropping)
        if self._batch:
            items = items_of(self._batch)
            processor = self._dropper if dropping else self._processor
            buried = self._buried(items) if self._reasons else None
            self._counted = buried or self._processed(processor, items, choice.lane)
            for taken in self._batch:
                partition = taken.partition
                self._positions.mark(self.name, partition.topic, partition.number, partition.progress.position)
        return True

    def committed(self) -> None:
        self.consumer.committed()
        if self._choice is not None:
            elapsed_ms = self._clock.monotonic_ms() - self._began_ms
            self.lanes.served(self._choice.lane, elapsed_ms)
            self.counters.busy_ms += elapsed_ms
        if self._counted is not None:
            self.counters.add(self._counted)
            self._backoff.worked()
            if self._reasons and (alone := self._alone()) is not None:
                self._reasons.pop(alone, None)
        self.counters.skipped = self.consumer.skipped

    def undone(self) -> None:
        self.consumer.undone()

    def failed(self, error: Exception) -> float:
        """Blames the message, when it was alone. A passing error blames none: the stage is left alone for a while."""
        self.counters.errors += 1
        if isinstance(error, PASSING_ERRORS) or not self._batch:
            return self._backoff.failed()
        alone = self._alone()
        for taken in self._batch:
            progress = taken.partition.progress
            if alone is None:
                progress.suspect([message.offset for message in taken.messages])
                continue
            failures = progress.failures(alone[2]) + 1
            condemned = failures >= self._settings.attempts_max
            wait_ms = 0.0 if condemned else backoff_ms(failures, self._settings)
            progress.raised(alone[2], self._clock.monotonic_ms() + wait_ms)
            self._reasons[alone] = named(error)
        return 0.0

    def wake_ms(self) -> float:
        return self.consumer.due_ms(self.lanes.paused)

    def backlog(self) -> dict[Lane, int]:
        """Messages behind, by lane."""
        return self.consumer.backlog()

    def _processed(self, processor: Processor, items: list[Item], lane: Lane) -> StageCounters:
        began_ms = self._clock.monotonic_ms()
        outcomes = processor.process(items)
        measured_ms = max((self._clock.monotonic_ms() - began_ms) / len(items), 1e-4)
        known_ms = self._item_ms[lane]
        eased_ms = known_ms + _EASE * (measured_ms - known_ms)
        self._item_ms[lane] = max(measured_ms, eased_ms)
        return self._settler.settle(self._batch, items, outcomes)

    def _buried(self, items: list[Item]) -> StageCounters | None:
        """Counts, when the batch is one message that raised too often: it became a dead letter, unprocessed."""
        alone = self._alone()
        if alone is None:
            return None
        partition = self._batch[0].partition
        if partition.progress.failures(alone[2]) < self._settings.attempts_max:
            return None
        item = items[0]._replace(attempt=items[0].attempt - 1)  # this is not another attempt
        return self._settler.bury(partition, item, alone[2], self._reasons[alone])

    def _alone(self) -> tuple[str, int, int] | None:
        """(topic, partition, offset) of the batch's only message."""
        if len(self._batch) != 1 or len(self._batch[0].messages) != 1:
            return None
        taken = self._batch[0]
        return taken.partition.topic, taken.partition.number, taken.messages[0].offset
