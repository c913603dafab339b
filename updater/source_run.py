"""The units of one source in one batch -> one transaction: in order, later units over what earlier ones left."""

from collections.abc import Sequence

from proto.codec import decode_key, source_prefix
from proto.errors import InvalidMessageError
from proto.ports.processor import DONE, DeadLetter, Drop, Outcome
from repo.api import Snapshot, Transaction
from repo.drops import UPDATER, DropBook, DropOrder
from updater.feeds import Feeds
from updater.intake import Extractors, Offer, TableIntake, take_in
from updater.layout import TableLayout
from updater.letters import Letters
from updater.notices import Notices
from updater.parts import Parts
from updater.progress import Progress
from updater.rows import Changes, Origin, RowSet
from updater.spans import missing_rows
from updater.stale import dropped_row, may_drop, parked_reason, raw_keys

_Work = list[tuple[Offer, list[TableIntake]]]


class SourceRun:
    """One attempt. After a conflict another one is made, with a newer snapshot; `letters` are delivered once it is
    committed."""

    def __init__(
        self, source: str, snapshot: Snapshot, extractors: Extractors, notices_partitions: int, now_ms: float,
        drop: DropOrder | None = None,
    ) -> None:  # fmt: skip
        """drop: the units are covered by it; those that it makes stale are not applied, but written down by key."""
        self.transaction = Transaction(snapshot.timestamp)
        self.letters = Letters(now_ms)
        self._source, self._prefix = source, source_prefix(source)
        self._snapshot, self._extractors = snapshot, extractors
        self._drop, self._now_ms = drop, now_ms
        self._book = DropBook(UPDATER, source)
        self._progress = Progress(source, snapshot)
        self._parts = Parts(snapshot, self.transaction)
        self._notices = Notices(self.transaction, notices_partitions, now_ms)
        self._feeds = Feeds(source, snapshot, self.transaction)

    def run(self, offers: Sequence[Offer]) -> list[Outcome]:
        """Fills the transaction; an outcome for each offer, which holds once the transaction is committed."""
        work: _Work = []
        outcomes = [self._admit(offer, work) for offer in offers]
        self._apply(work)
        self._parts.keep()
        self._feeds.write()
        self._book.write(self._snapshot, self.transaction, self._now_ms)
        self._progress.write(self.transaction)
        return outcomes

    def _admit(self, offer: Offer, work: _Work) -> Outcome:
        """Decides about a unit, and adds it to the work when its turn has come."""
        unit = offer.unit
        turn = self._progress.turn(unit)
        if turn != "now":
            return turn
        if unit.part < unit.parts - 1:
            self._parts.hold(unit, offer.item.value)
            return DONE
        self._progress.applied(unit)
        try:
            if unit.parts > 1:
                offer = offer._replace(unit=self._parts.join(unit))
            work.append((offer, take_in(offer, self._extractors, self.letters)))
        except InvalidMessageError as error:
            return DeadLetter(str(error))
        return Drop(self._drop.reason) if self._drop is not None and may_drop(unit, self._drop) else DONE

    def _apply(self, work: _Work) -> None:
        sets = self._read(work)
        for offer, intakes in work:
            unit = offer.unit
            origin = Origin(unit.kind, (unit.incarnation, unit.position), self._prefix)
            changes: Changes = [[], [], []]  # one for each lane
            apply = self._backfill_table if unit.kind == "backfill" else self._apply_table
            if self._drop is not None and may_drop(unit, self._drop):
                apply = self._drop_table
            for intake in intakes:
                apply(offer, intake, sets[intake.layout.name], origin, changes)
            if not unit.first:
                self._notices.add(unit, changes)
            if unit.kind == "done":
                self._notices.add_source(unit.source)
            self._notices.write(unit)
        for rows in sets.values():
            rows.write()

    def _read(self, work: _Work) -> dict[str, RowSet]:
        """All rows that the batch touches: one read for each table and group."""
        keys: dict[str, list[bytes]] = {}
        layouts: dict[str, TableLayout] = {}
        for _, intakes in work:
            for intake in intakes:
                layouts[intake.layout.name] = intake.layout
                keys.setdefault(intake.layout.name, []).extend(intake.keys())
        for offer, intakes in work:
            if offer.unit.span is not None:
                for intake in intakes:
                    touched = keys[intake.layout.name]
                    found = set(intake.keys())
                    intake.gone.extend(missing_rows(intake.layout, offer.unit.span, found, touched, self._snapshot))
                    touched += intake.gone
        return {name: RowSet(layout, keys[name], self._snapshot, self.transaction) for name, layout in layouts.items()}

    def _backfill_table(
        self, offer: Offer, intake: TableIntake, rows: RowSet, origin: Origin, changes: Changes
    ) -> None:
        older = rows.newer_than(origin.version, intake.keys())
        before = sum(map(len, changes))
        self._apply_table(offer, intake, rows, origin, changes)
        written = sum(map(len, changes)) - before
        self._feeds.count(offer.unit, intake.layout.name, len(intake.keys()), written, older)

    def _apply_table(self, offer: Offer, intake: TableIntake, rows: RowSet, origin: Origin, changes: Changes) -> None:
        """Deletes first: should two raw keys be the same when coerced, the row that is there wins."""
        for key in (*intake.deleted, *intake.gone):
            rows.delete(key, origin, changes)
        rows.put(intake.good, origin, changes, intake.extractor.lacking)
        for key in rows.healed:
            self.letters.healed(intake.layout, self._source, key)
            self._book.heal(intake.layout.name, key)
        rows.healed.clear()
        if intake.parked:
            self._park(offer, intake, rows, origin, changes)

    def _drop_table(self, offer: Offer, intake: TableIntake, rows: RowSet, origin: Origin, changes: Changes) -> None:
        """A bad row is parked as ever: it costs as little, and its dead letter says more."""
        drop = self._drop
        assert drop is not None
        raws, reason, table = raw_keys(offer.unit, intake), parked_reason(drop), intake.layout.name
        wanted = [(key, None) for key in intake.deleted] + list(intake.good)
        for key, values in wanted:
            if rows.drop(key, values, reason, origin, intake.extractor.lacking):
                self._book.drop(dropped_row(offer.unit, table, key, raws[key], drop, self._now_ms))
        self._park(offer, intake, rows, origin, changes)

    def _park(self, offer: Offer, intake: TableIntake, rows: RowSet, origin: Origin, changes: Changes) -> None:
        for key, fault, alone in intake.parked:
            if rows.park(key, fault.reason, origin, changes):
                shown = decode_key(key)[1:]
                self.letters.bad_row(offer.item, offer.unit, intake.layout, alone, key, shown, fault)
                self._book.heal(intake.layout.name, key)  # read again, if it had been dropped, and found bad
