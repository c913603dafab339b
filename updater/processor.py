"""The updater: source units -> versioned rows, index entries and notifications, a transaction for each source in the
batch."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from proto.errors import FencedError, OutcomeUnknownError, UnavailableError
from proto.events import decode_unit
from proto.flows.model import Flows
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetters
from proto.ports.processor import DeadLetter, Item, Outcome
from repo.api import OutcomeKind, Repo
from repo.drops import DropOrder
from repo.rows import Schemas
from updater.intake import Extractors, Offer
from updater.layout import layouts
from updater.source_run import SourceRun

ATTEMPTS_MAX = 5
"""Conflicts in a row before the batch is given back. Only another updater of the same source can conflict."""


class Updater:
    """A Processor over the messages of updates.{lane}: encoded units.

    All units of a batch that belong to one source become one transaction, and all transactions of a batch one call of
    commit. A replay writes nothing: so a batch may be offered again whatever became of the last attempt.
    """

    def __init__(
        self,
        repo: Repo,
        schemas: Schemas,
        flows: Flows,
        dead_letters: DeadLetters,
        clock: Clock,
        notices_partitions: int = 1,
    ) -> None:
        """The tables of `repo.system.specs(flows)` are declared already. notices_partitions: of the notifications
        topics."""
        self._repo, self._dead_letters, self._clock = repo, dead_letters, clock
        self._partitions = notices_partitions
        self._extractors = Extractors(layouts(flows, schemas))

    def process(self, batch: Sequence[Item], drop: DropOrder | None = None) -> list[Outcome]:
        """An outcome for each item, in order. drop: covers all of them (see updater/stale.py).

        Raises UnavailableError, FencedError, OutcomeUnknownError as the Repo does.
        """
        outcomes: dict[int, Outcome] = {}
        waiting: dict[str, list[Offer]] = {}
        for at, item in enumerate(batch):
            try:
                unit = decode_unit(item.value)
            except msgspec.DecodeError as error:
                outcomes[at] = DeadLetter(f"{item.source} is not a source unit: {error}")
            else:
                waiting.setdefault(unit.source, []).append(Offer(at, item, unit))
        at_least = 0
        for _ in range(ATTEMPTS_MAX):
            if not waiting:
                return [outcomes[at] for at in range(len(batch))]
            at_least = self._attempt(waiting, outcomes, at_least, drop)
        raise UnavailableError(f"another updater kept changing the rows of {', '.join(waiting)}; is it running twice?")

    def _attempt(
        self, waiting: dict[str, list[Offer]], outcomes: dict[int, Outcome], at_least: int, drop: DropOrder | None
    ) -> int:
        """Leaves in `waiting` the sources that conflicted; returns the timestamp that the next snapshot must have
        reached."""
        now_ms = self._clock.now_ms()
        runs: dict[str, SourceRun] = {}
        found: dict[str, list[Outcome]] = {}
        with self._repo.snapshot(at_least, still=True) as snapshot:
            for source, offers in waiting.items():
                runs[source] = SourceRun(source, snapshot, self._extractors, self._partitions, now_ms, drop)
                found[source] = runs[source].run(offers)
        conflicts = self._commit(runs)
        for source, run in runs.items():
            if source not in conflicts:
                run.letters.deliver(self._dead_letters)
                outcomes.update(zip([offer.at for offer in waiting.pop(source)], found[source], strict=True))
        return max(conflicts.values(), default=at_least)

    def _commit(self, runs: Mapping[str, SourceRun]) -> dict[str, int]:
        """Source -> the other's commit timestamp, for those that must be run again."""
        changed = {source: run.transaction for source, run in runs.items() if run.transaction.writes}
        conflicts: dict[str, int] = {}
        for source, outcome in zip(changed, self._repo.commit(list(changed.values())), strict=True) if changed else ():
            if outcome.kind in (OutcomeKind.CONFLICT, OutcomeKind.TOO_OLD):
                conflicts[source] = outcome.commit_timestamp
            elif outcome.kind is OutcomeKind.FENCED:
                raise FencedError(f"another process has taken over the Repo; units of {source} were not applied")
            elif outcome.kind is OutcomeKind.UNKNOWN:
                raise OutcomeUnknownError(f"whether the units of {source} were applied is not known; offer them again")
        return conflicts


class StaleUnits:
    """A Processor over units that a drop order covers. order: of a lane, None when there is none."""

    def __init__(self, updater: Updater, order: Callable[[Lane], DropOrder | None]) -> None:
        self._updater, self._order = updater, order

    def process(self, batch: Sequence[Item]) -> list[Outcome]:
        """The batch is of one lane."""
        return self._updater.process(batch, self._order(batch[0].lane))
