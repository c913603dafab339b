"""When and how what was dropped is healed: rows are read again, documents built again, both in the Low lane."""

import math
from collections.abc import Callable, Collection, Sequence

from argus.stale import Healing
from gateway.processor import Gateway
from ops.audit import Action, Audit
from ops.engine.backoff import Backoff
from ops.engine.settings import EngineSettings
from ops.engine.traffic import Traffic
from ops.lag import lags
from ops.settings import StaleSettings
from ops.stale.request import HealRequest
from ops.topics import PUBLISHER, UPDATER
from proto.errors import SettingsError
from proto.events import UPDATES, lane_topic
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.log import Log
from repo.api import Repo, Transaction
from repo.drops import DropBook, DroppedRow, Piles, dropped_rows

ROWS_MAX = 1000
"""Rows of a source that are asked for at once: their keys stand in the gateway's progress until they are read."""

_WAITS_MS_MAX = 1000.0  # a lane in which messages wait no longer than this is idle, or keeps up
_LOOK_MS = 500.0
_REST_MS = 5.0 * _LOOK_MS
_AGAIN_MS = 5000.0  # after a round over all rows that healed none of them


class Occasion:
    """Whether to heal now: somebody has asked for it, or nothing has waited for long in any lane for a while."""

    def __init__(self, request: HealRequest, piles: Piles, log: Log, clock: Clock, settings: StaleSettings) -> None:
        self.request = request
        self._piles, self._log, self._clock, self._settings = piles, log, clock, settings
        self._looked_ms, self._busy_ms = -math.inf, clock.monotonic_ms()
        self._asked = False

    def now(self) -> bool:
        """Cheap to ask often."""
        now_ms = self._clock.monotonic_ms()
        since_ms = now_ms - self._looked_ms
        if since_ms >= _LOOK_MS:
            self._looked_ms = now_ms
            self._asked = self.request.asked()
            # Nobody asks while nothing is dropped: so after a rest the wait begins with the drop.
            if since_ms >= _REST_MS or (self._settings.heal_when_idle and not self._asked and self._busy()):
                self._busy_ms = now_ms
        idle = self._settings.heal_when_idle and now_ms - self._busy_ms >= self._settings.heal_idle_s * 1000.0
        return self._asked or idle

    def ended(self) -> None:
        """Some stage has healed all that it had dropped."""
        if not any(pile.open for pile in self._piles.now()):
            self.request.done()
            self._asked = False

    def _busy(self) -> bool:
        wall_ms = self._clock.now_ms()
        return any(
            lag.since_ms and wall_ms - lag.since_ms > _WAITS_MS_MAX
            for lag in lags(self._log)
            if lag.consumed.consumer != PUBLISHER
        )


class HealDocuments:
    """A step: documents and handlers of dropped notifications. may: whether this process may work in the Low lane."""

    name = "heal documents"

    def __init__(
        self, healing: Healing, occasion: Occasion, may: Callable[[], bool], audit: Audit, traffic: Traffic,
        clock: Clock, settings: EngineSettings,
    ) -> None:  # fmt: skip
        self._healing, self._occasion, self._may, self._traffic = healing, occasion, may, traffic
        self._audit, self._clock = audit, clock
        self._row_ms = 1.0
        self._taken = self._healed = 0
        self._backoff = Backoff(settings)
        self._open, self._look_ms = 0, -math.inf

    def step(self) -> bool:
        self._taken = 0
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._look_ms:
            return False
        self._open = self._healing.open()
        self._look_ms = now_ms + (0.0 if self._open else _LOOK_MS)
        if not self._open or not self._occasion.now() or not self._may():
            return False
        budget_ms = self._traffic.ask(self.name, now_ms)
        if not budget_ms:
            return False
        limit = 1 if self._backoff.failing else max(1, min(int(budget_ms / self._row_ms), ROWS_MAX))
        began_ms = self._clock.monotonic_ms()
        self._taken = self._healing.step(limit)
        if self._taken:
            self._row_ms += 0.3 * ((self._clock.monotonic_ms() - began_ms) / self._taken - self._row_ms)
        return True

    def committed(self) -> None:
        if not self._taken:
            return
        self._backoff.worked()
        left = self._healing.open()
        self._healed += max(0, self._open - left)  # more may have been dropped meanwhile
        if not left:
            _tell(self._audit, self._clock, f"documents of {self._healed:,} dropped rows are built again")
            self._healed = 0
            self._occasion.ended()

    def undone(self) -> None:
        """The rows come again in the next round."""

    def failed(self, error: Exception) -> float:
        return self._backoff.failed()

    def wake_ms(self) -> float:
        return math.inf  # the sweep is soon enough

    def took(self) -> bool:
        """Whether the last step may have built something."""
        return self._taken > 0


class HealRows:
    """A step of one source: asks its gateway to read dropped rows again, so many at a time; the next ones when these
    are applied. The updater writes down that they are healed, in the transaction that heals them.

    tables: that the source feeds; rows of others need no healing, nobody reads them any more.
    """

    def __init__(
        self, gateway: Gateway, tables: Collection[str], repo: Repo, log: Log, occasion: Occasion,
        may: Callable[[], bool], audit: Audit, traffic: Traffic, clock: Clock, settings: EngineSettings,
    ) -> None:  # fmt: skip
        self.name = f"heal {gateway.source}"
        self._gateway, self._tables = gateway, frozenset(tables)
        self._repo, self._log, self._occasion = repo, log, occasion
        self._may, self._audit, self._traffic, self._clock = may, audit, traffic, clock
        self._piles = Piles(repo)
        self._after, self._round_open, self._not_before_ms = b"", 0, -math.inf
        self._healing = 0
        self._backoff = Backoff(settings)

    def step(self) -> bool:
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._not_before_ms:
            return False
        own = (UPDATER, self._gateway.source)
        left = sum(pile.open for pile in self._piles.now() if (pile.stage, pile.source) == own)
        if not left:
            self._ended()
            self._not_before_ms = now_ms + _LOOK_MS
            return False
        self._healing = max(self._healing, left)
        if not self._occasion.now() or not self._may():
            return False
        progress = self._gateway.progress
        if progress is None or progress.tasks or not self._applied() or not self._traffic.ask(self.name, now_ms):
            return False
        return self._ask(left)

    def committed(self) -> None:
        self._backoff.worked()

    def undone(self) -> None:
        self._gateway.undone()
        self._after = b""

    def failed(self, error: Exception) -> float:
        return self._backoff.failed()

    def wake_ms(self) -> float:
        return math.inf

    def _ask(self, left: int) -> bool:
        """After a round that could read none of the rows it rests: their tables are parked."""
        if not self._after:
            self._round_open = left
        with self._repo.snapshot() as snapshot:
            rows, self._after = dropped_rows(snapshot, UPDATER, self._gateway.source, self._after, ROWS_MAX)
        wanted: dict[str, list[tuple[object, ...]]] = {}
        for row in rows:
            if not row.healed_ms:
                wanted.setdefault(row.table, []).append(row.raw)
        self._forget([row for row in rows if row.table not in self._tables])
        refused = 0
        for table in self._tables & wanted.keys():
            try:
                self._gateway.compare(table, keys=wanted[table])
            except SettingsError:
                refused += 1
        if not self._after and refused == len(wanted) and left >= self._round_open:
            self._not_before_ms = self._clock.monotonic_ms() + _AGAIN_MS
            return False
        return True

    def _forget(self, rows: Sequence[DroppedRow]) -> None:
        book = DropBook(UPDATER, self._gateway.source)
        for row in rows:
            book.heal(row.table, row.key)
        with self._repo.snapshot() as snapshot:
            transaction = Transaction(snapshot.timestamp)
            book.write(snapshot, transaction, self._clock.now_ms())
        if transaction.writes:
            self._repo.commit([transaction])  # in conflict with the updater: in the next round

    def _applied(self) -> bool:
        topic = lane_topic(UPDATES, Lane.LOW)
        partition = self._log.partition_of(topic, self._gateway.source)
        return self._log.position(UPDATER, topic, partition) >= self._log.bounds(topic, partition)[1]

    def _ended(self) -> None:
        if self._healing:
            text = f"{self._healing:,} dropped rows of source {self._gateway.source} are read again"
            _tell(self._audit, self._clock, text)
            self._healing = 0
            self._occasion.ended()


def _tell(audit: Audit, clock: Clock, what: str) -> None:
    """A line in the audit record; a full disk must not keep anything from being healed."""
    try:
        audit.record(Action(at_ms=clock.now_ms(), who="adsindex", command="heal", what=what))
    except OSError:
        pass
