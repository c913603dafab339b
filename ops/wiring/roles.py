"""One function a role: what it consumes, which processor it drives, in which pass it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from argus.assemble import Parts, assemble
from argus.generations import Admission
from argus.publish import Publisher
from argus.registry import Application
from argus.stale import StaleNotifications
from ops.engine.consumer import Consumer
from ops.engine.lanes import Lanes
from ops.engine.passes import Pass
from ops.engine.served import ServedFile
from ops.engine.stage import Stage
from ops.engine.step import Step
from ops.engine.watermark import Watermark
from ops.topics import ARGUS, PUBLISHER, UPDATER
from ops.wiring.gated import Gated
from ops.wiring.heartbeat import Heartbeat
from ops.wiring.holds import Holds
from ops.wiring.signal_work import SignalWork
from ops.wiring.signals import signal_caller
from ops.wiring.stale import document_healing
from ops.wiring.store import Store
from ops.wiring.work import JobWork
from proto.events import DOCUMENTS, NOTIFICATIONS, PUBLICATIONS, UPDATES, lane_topic
from proto.lane import Lane
from proto.ports.processor import Processor
from repo.drops import Piles
from updater.processor import StaleUnits, Updater


@dataclass(slots=True)
class Built:
    """Argus and the publisher of a process. documents: the steps from a notification to the documents topic; jobs:
    those of long work; served: when what they published became readable."""

    parts: Parts
    watermark: Watermark
    documents: tuple[Step, ...]
    jobs: tuple[Step, ...]
    stages: tuple[Stage, ...]
    served: ServedFile


def updater_stage(store: Store, application: Application) -> Stage:
    """Units -> rows and notifications. A unit that waits holds its source's partition."""
    updater = Updater(store.repo, store.schemas, application.flows, store.dead_letters, store.clock)
    topics = {lane: lane_topic(UPDATES, lane) for lane in Lane}
    stale = StaleUnits(updater, store.orders.of(UPDATER))
    return _stage(store, "apply", updater, _consumer(store, UPDATER, topics, ordered=True), stale)


def argus_role(store: Store, application: Application, admission: Admission, sources: Sequence[str]) -> Built:
    """Notifications -> documents -> the documents topic."""
    parts = assemble(
        store.repo,
        store.log,
        store.schemas,
        application,
        admission,
        sources,
        store.dead_letters,
        store.clock,
        store.settings.argus.batch_documents_max,
        signal_caller(store, application),
        store.liveness.name,
        store.liveness.alive,
    )
    publisher = Publisher(store.repo, store.log, store.schemas, store.clock)
    topics = {lane: lane_topic(NOTIFICATIONS, lane) for lane in Lane}
    changes = _consumer(store, ARGUS, topics, ordered=False)
    publications = _consumer(store, PUBLISHER, {Lane.HIGH: PUBLICATIONS}, ordered=True)
    holds = Holds(store.repo, parts.jobs, Piles(store.repo))
    watermark = Watermark([changes], [publications], store.repo.last_timestamp, holds)
    stale = StaleNotifications(store.repo, parts.argus, store.clock, store.orders.of(ARGUS))
    build = _stage(store, "build", parts.argus, changes, stale)
    publish = _stage(store, "publish", publisher, publications)
    served = ServedFile(store.folder, store.log.bounds(DOCUMENTS, 0)[1])
    beat = Heartbeat(watermark, publisher, served, store.log, store.clock, store.settings.engine)
    signals = SignalWork(parts, store.repo.last_timestamp, store.traffic, store.clock, store.settings.engine)
    work = JobWork(parts, store.traffic, store.clock, store.settings.engine)
    parts.jobs.paused = build.lanes.paused
    store.traffic.calm = lambda: parts.lifecycle.first or not parts.argus.live
    heal = document_healing(store, parts, build)

    def took() -> bool:
        return signals.took() or work.took() or heal.took()

    return Built(
        parts,
        watermark,
        (build, publish, beat),
        (*([signals] if application.flows.signals else []), work, heal, Gated(publish, took), Gated(beat, took)),
        (build, publish),
        served,
    )


def _consumer(store: Store, name: str, topics: dict[Lane, str], *, ordered: bool) -> Consumer:
    claim = store.liveness.claim
    return Consumer(store.log, name, topics, store.settings.engine, ordered=ordered, claim=claim)


def _stage(
    store: Store, kind: str, processor: Processor, consumer: Consumer, dropper: Processor | None = None
) -> Stage:
    lanes = Lanes(consumer.name, store.traffic)
    lanes.paused = store.pauses.of(consumer.name)
    store.orders.apply([consumer])
    return Stage(
        kind, processor, consumer, lanes, store.positions, store.dead_letters, store.clock, store.settings.engine,
        dropper=dropper,
    )  # fmt: skip


def pass_of(store: Store, name: str, steps: Sequence[Step]) -> Pass:
    """Steps that share a group."""
    return Pass(name, steps, store.log, store.positions, store.clock, store.settings.engine)
