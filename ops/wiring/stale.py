"""Dropping what is stale, and healing it: the steps and the policy of one process."""

from collections.abc import Iterable, Sequence

from argus.assemble import Parts
from argus.stale import Healing
from gateway.route import fed_tables
from ops.audit import Audit
from ops.engine.stage import Stage
from ops.stale.healing import HealDocuments, HealRows, Occasion
from ops.stale.policy import Policy
from ops.stale.request import HealRequest
from ops.topics import UPDATER
from ops.wiring.sources import Source
from ops.wiring.store import Store
from proto.flows.model import Flows
from proto.lane import Lane
from repo.drops import Piles


def row_healing(store: Store, flows: Flows, captured: Sequence[Source]) -> list[HealRows]:
    """A step for each source that this process captures."""

    def may() -> bool:
        return Lane.LOW not in store.pauses.of(UPDATER)

    return [
        HealRows(
            source.gateway,
            [table.name for table in fed_tables(flows, source.gateway.source)],
            store.repo,
            store.log,
            _occasion(store),
            may,
            Audit(store.folder),
            store.traffic,
            store.clock,
            store.settings.engine,
        )
        for source in captured
    ]


def document_healing(store: Store, parts: Parts, build: Stage) -> HealDocuments:
    """Not before documents are built at all; in one process, should several share the work."""
    healing = Healing(store.repo, parts.argus, parts.jobs, store.clock)

    def may() -> bool:
        low = Lane.LOW in build.lanes.paused
        return not low and bool(parts.argus.live) and store.liveness.claim("heal", "documents", 0)

    audit = Audit(store.folder)
    return HealDocuments(healing, _occasion(store), may, audit, store.traffic, store.clock, store.settings.engine)


def stale_policy(store: Store, stages: Iterable[str]) -> Policy:
    """stages: of this process."""
    return Policy(
        store.repo,
        store.log,
        store.orders.of,
        store.pauses.of,
        Audit(store.folder),
        store.clock,
        store.settings.stale,
        stages,
    )


def _occasion(store: Store) -> Occasion:
    request = HealRequest(store.folder)
    return Occasion(request, Piles(store.repo), store.log, store.clock, store.settings.stale)
