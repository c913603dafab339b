"""Runs handlers: a batch in lock-step at one snapshot, each with a transaction and an acknowledgement of its own.

Handlers that wrote the same rows conflict with each other. So after a conflict those go on together that touched
different rows the last time; the others wait for the next round. However many write one row, each runs about twice.

A call whose commit may have happened or not is offered again later, and runs again only when that is settled.
"""

from collections.abc import Mapping

from argus.api import Change, RowRef
from argus.calls import Call, Pending, Run
from argus.context import Context, row_key
from argus.driver import drive
from argus.failures import Failures
from argus.registry import Application
from argus.rows import RowStore
from argus.writes import Writer
from proto.errors import UnavailableError
from repo.api import Outcome, OutcomeKind, Repo, Snapshot, Transaction
from repo.system import ACK, ack_table

CONFLICT_ATTEMPTS_MAX = 8
"""Rounds without any success after which the calls are offered again later."""

Calls = Mapping[Call, Pending]


class Handlers:
    """Runs the handlers of an application. runs: how many calls were made so far."""

    def __init__(
        self, repo: Repo, application: Application, rows: RowStore, writer: Writer, failures: Failures
    ) -> None:
        self._repo, self._application, self._rows = repo, application, rows
        self._writer, self._failures = writer, failures
        self.runs = 0
        self._undecided: dict[Call, tuple[Transaction, Outcome]] = {}

    def run(self, calls: Calls) -> set[Call]:
        """Runs what is not acknowledged yet; returns the calls that must be offered again."""
        later = self._still_undecided(calls)
        waiting = {call: pending for call, pending in calls.items() if call not in later}
        touched: dict[Call, frozenset[RowRef]] = {}
        at_least = max((pending.cause.change for pending in waiting.values()), default=0)
        fruitless = 0
        while waiting and fruitless < CONFLICT_ATTEMPTS_MAX:
            chosen = _apart(waiting, touched)
            conflicts = []
            for run, outcome in self._attempt(chosen, at_least):
                if run.call in self._undecided:
                    later.add(run.call)
                elif outcome is not None and not outcome.committed:
                    conflicts.append(run.call)
                    touched[run.call] = frozenset(run.context.writes)
                    at_least = max(at_least, outcome.commit_timestamp)
                elif isinstance(run.finished.error, UnavailableError):
                    later.add(run.call)
            fruitless = fruitless + 1 if len(conflicts) == len(chosen) else 0
            for call in chosen.keys() - conflicts:
                del waiting[call]
        return later.union(waiting)

    def _attempt(self, calls: Calls, at_least: int) -> list[tuple[Run, Outcome | None]]:
        """One snapshot, one commit. Outcome None: the handler raised. Calls that are acknowledged are left out."""
        with self._repo.snapshot(at_least=at_least, still=True) as snapshot:
            runs = self._unacknowledged(snapshot, calls)
            self._drive(snapshot, runs)
            good = [run for run in runs if run.finished.error is None]
            transactions = self._writer.transactions(snapshot, good)
        outcomes = self._repo.commit(transactions) if good else []
        for run in runs:
            error = run.finished.error
            if error is not None and not isinstance(error, UnavailableError):
                self._failures.not_handled(
                    run.call.handler, run.call.row, run.pending.columns, run.pending.cause, error
                )
        ended = list(zip(good, outcomes, strict=True))
        for (run, outcome), transaction in zip(ended, transactions, strict=True):
            if outcome.kind is OutcomeKind.UNKNOWN:
                self._undecided[run.call] = transaction, outcome
        self._failures.handled((run.call.handler, run.call.row) for run, outcome in ended if outcome.committed)
        return [*ended, *((run, None) for run in runs if run.finished.error is not None)]

    def _still_undecided(self, calls: Calls) -> set[Call]:
        """What is committed after all has its acknowledgement in the store."""
        for call in calls.keys() & self._undecided.keys():
            if self._repo.settle(*self._undecided[call]).kind is not OutcomeKind.UNKNOWN:
                del self._undecided[call]
        return calls.keys() & self._undecided.keys()

    def _unacknowledged(self, snapshot: Snapshot, calls: Calls) -> list[Run]:
        by_handler: dict[str, list[Call]] = {}
        for call in calls:
            by_handler.setdefault(call.handler, []).append(call)
        runs: list[Run] = []
        for handler, own in by_handler.items():
            stored = snapshot.read(ack_table(handler), ACK, [row_key(call.row) for call in own])
            for call, version in zip(own, stored, strict=True):
                acknowledged = 0 if version is None else int.from_bytes(version.value or b"", "big")
                if acknowledged < calls[call].cause.change:
                    context = Context(self._application.flows, call.row.source, handler)
                    runs.append(Run(call, calls[call], context))
        return runs

    def _drive(self, snapshot: Snapshot, runs: list[Run]) -> None:
        contexts = [run.context for run in runs]
        coroutines = [
            self._application.handlers[run.call.handler].function(
                run.context, Change(run.call.row, run.pending.columns, run.pending.left)
            )
            for run in runs
        ]
        self.runs += len(runs)
        ended = drive(coroutines, lambda asked: self._rows.gather(snapshot, contexts, asked))  # type: ignore[arg-type]
        for run, finished in zip(runs, ended, strict=True):
            run.finished = finished


def _apart(waiting: Calls, touched: Mapping[Call, frozenset[RowRef]]) -> dict[Call, Pending]:
    """Calls that did not write the same rows when they ran the last time, in order."""
    if not touched:
        return dict(waiting)
    chosen: dict[Call, Pending] = {}
    taken: set[RowRef] = set()
    for call, pending in waiting.items():
        rows = touched.get(call, frozenset())
        if taken.isdisjoint(rows):
            chosen[call] = pending
            taken |= rows
    return chosen
