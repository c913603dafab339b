"""What the updater would do with units: worked out as ever, and thrown away, since a transaction is a value until it is
committed."""

from collections.abc import Sequence

from proto.events import Unit
from proto.flows.model import Flows
from proto.lane import Lane
from proto.ports.processor import Item
from repo.api import Cell, Repo
from repo.rows import Schemas
from repo.system import FEED_STATES, STATE, FeedState, decode_feed_state, feed_key
from updater.intake import Extractors, Offer
from updater.layout import layouts
from updater.source_run import SourceRun


class Preview:
    """Of one feed's backfill. state: the sum over all units so far, each seen against what is stored now."""

    def __init__(self, repo: Repo, schemas: Schemas, flows: Flows, source: str, table: str) -> None:
        self.state = FeedState("")
        self._repo, self._extractors = repo, Extractors(layouts(flows, schemas))
        self._source, self._table = source, table

    def add(self, units: Sequence[Unit]) -> None:
        """Units of kind "backfill", of one job."""
        offers = [Offer(at, Item(b"", Lane.LOW, 1, ""), unit) for at, unit in enumerate(units)]
        with self._repo.snapshot() as snapshot:
            run = SourceRun(self._source, snapshot, self._extractors, 1, 0.0)
            run.run(offers)
        counted = run.transaction.writes.get(Cell(FEED_STATES, feed_key(self._source, self._table), STATE))
        if counted is not None:
            page, total = decode_feed_state(counted), self.state
            total.rows = page.rows
            total.written += page.written
            total.unchanged += page.unchanged
            total.older += page.older
