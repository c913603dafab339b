"""The Argus processor: notifications in; documents built, handlers run, fan-outs started."""

from collections.abc import Mapping, Sequence
from itertools import islice

from argus.build import Builder
from argus.climb import Climber, Target
from argus.dispatch import Dispatcher, Spread, Work
from argus.handle import Handlers
from argus.jobs import Jobs
from proto.events import Cause, decode_notification
from proto.flows.model import Collection
from proto.ports.processor import DONE, Item, Outcome, Retry
from repo.api import Reads, Repo

FANOUT_INLINE_MAX = 256
"""Above this a fan-out goes on as a job: 256 documents keep a pass under ten milliseconds."""

RETRY_MS = 5.0


class Argus:
    """proto.ports.processor.Processor over messages of notifications.{lane}."""

    def __init__(
        self,
        repo: Repo,
        dispatcher: Dispatcher,
        builders: Mapping[str, Builder],
        climber: Climber,
        handlers: Handlers,
        jobs: Jobs,
        batch_documents_max: int = 512,
    ) -> None:
        self._repo, self._dispatcher, self._builders = repo, dispatcher, builders
        self._climber, self._handlers, self._jobs = climber, handlers, jobs
        self._batch_documents_max = batch_documents_max
        self.live: set[str] = set()
        """The document types that are built. The others wait until what they read is complete: then a rebuild makes
        every document, so nothing is built before. Handlers run all the same: a change that they have not seen would be
        lost."""

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        """Outcomes are per batch: documents of several messages are built together; what is built already is dropped
        when offered again."""
        work = Work()
        newest = 0
        for item in batch:
            commit_timestamp, notification = decode_notification(item.value)
            newest = max(newest, commit_timestamp)
            self._dispatcher.add(work, commit_timestamp, notification)
        again = bool(work.calls and self._handlers.run(work.calls))
        if self.live:
            again = self._documents(work, newest) or again
        outcome: Outcome = (
            Retry(RETRY_MS, "documents were in conflict, or belong to a newer generation") if again else DONE
        )
        return [outcome] * len(batch)

    def _documents(self, work: Work, newest: int) -> bool:
        if work.spreads:
            self._spread(work, newest)
        again = False
        for document_type, causes in work.requests.items():
            if document_type not in self.live:
                continue
            again = self._build(self._builders[document_type], causes) or again
        return again

    def _build(self, builder: Builder, causes: dict[bytes, Cause]) -> bool:
        again = False
        rest = iter(causes.items())
        while part := dict(islice(rest, self._batch_documents_max)):
            again = bool(builder.build(part)) or again
        return again

    def _spread(self, work: Work, newest: int) -> None:
        """Finds the documents above changed rows, at a snapshot at or above the change (N2); large fan-outs become
        jobs."""
        large: list[Spread] = []
        with self._repo.snapshot(at_least=newest) as snapshot:
            for target, spreads in work.spreads.items():
                if target.document not in self.live:
                    continue
                starts = [spread.frames() for spread in spreads.values()]
                reached = self._climber.reach(snapshot, target, starts, FANOUT_INLINE_MAX)
                cut: list[Spread] = []
                for spread, documents in zip(spreads.values(), reached, strict=True):
                    if documents is None:
                        cut.append(spread)
                    else:
                        work.request(target.document, documents, spread.cause)
                large += self._merged(snapshot, target, cut)
        for spread in large:
            self._jobs.fanout(spread)

    def _merged(self, snapshot: Reads, target: Target, spreads: Sequence[Spread]) -> Sequence[Spread]:
        """Above rows of one collection are the same documents, those above its owner: one fan-out is enough for them.

        Otherwise n new rows, each shown in a list by n documents, would be n fan-outs of n documents.
        """
        hop = target.hops[0]
        if not spreads or not isinstance(hop, Collection):
            return spreads
        merged: dict[bytes, Spread] = {}
        owners = self._climber.owners(snapshot, hop, [spread.key for spread in spreads])
        for spread, found in zip(spreads, owners, strict=True):
            for owner in (*found, *spread.moved):
                Spread(target, owner, (), spread.cause, spread.since, level=1).join(merged)
        return list(merged.values())
