"""Puts Argus together for one application on one Repo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from argus.asynchronous import Asynchronous
from argus.build import Builder
from argus.climb import Climber, recorded_targets, targets
from argus.compile import compile_document
from argus.describe import tables_of
from argus.dispatch import Dispatcher
from argus.failures import Failures
from argus.fetch import Fetch
from argus.generations import Admission
from argus.handle import Handlers
from argus.job_states import JobStates
from argus.jobs import Jobs
from argus.lifecycle import Lifecycle
from argus.outline import outline_of, store_outline
from argus.processor import Argus
from argus.registry import Application
from argus.rows import RowStore, readers_of
from argus.signals.ahead import Ahead
from argus.signals.port import Caller, Nobody
from argus.signals.pulls import Pulls
from argus.signals.refresh import Refresh
from argus.signals.resolve import Resolver
from argus.slices import Slices
from argus.writes import Writer
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetters
from proto.ports.log import Durable
from repo.api import Repo
from repo.rows import Schemas


@dataclass(frozen=True, slots=True)
class Parts:
    """Argus, put together."""

    argus: Argus
    jobs: Jobs
    lifecycle: Lifecycle
    handlers: Handlers
    builders: dict[str, Builder]
    pulls: Pulls
    refresh: Refresh


def assemble(
    repo: Repo,
    durable: Durable,
    schemas: Schemas,
    application: Application,
    admission: Admission,
    sources: Sequence[str],
    dead_letters: DeadLetters,
    clock: Clock,
    batch_documents_max: int = 512,
    caller: Caller | None = None,
    process: str = "",
    alive: Callable[[str], bool] = lambda process: False,
) -> Parts:
    """Compiles every document type, registers schemas; all tables (`repo.system.specs`) are declared already. caller:
    who calls the fetchers of signals; None: nobody, each call fails. process, alive: see Jobs."""
    flows = application.flows
    readers = readers_of(flows, schemas)
    schemas.register([reader.schema.names for reader in readers.values()])
    rows = RowStore(flows, readers)
    failures = Failures(dead_letters, clock)
    groups = {table.name: tuple(table.groups()) for table in flows.tables.values()}
    compiled = [compile_document(application, document) for document in flows.documents.values()]
    pulls = Pulls(flows.signals, caller or Nobody(), clock)
    builders: dict[str, Builder] = {}
    for item in compiled:
        store_outline(repo, item.document.name, admission.number, outline_of(application, item))
    for item, schema in zip(compiled, schemas.register([item.names for item in compiled]), strict=True):
        builders[item.document.name] = Builder(
            repo,
            item,
            Fetch(item.plan, readers),
            Asynchronous(flows, item, rows),
            Resolver(item.document.name, item.plan.signals, pulls.by_name, clock),
            groups,
            schema,
            admission.number,
            admission.since[f"document {item.document.name}"],
            failures,
            clock,
        )
    aims = [target for item in compiled for target in targets(item.document.name, item.plan)]
    aims += [target for item in compiled if item.asynchronous for target in recorded_targets(item.document.name, flows)]
    climber = Climber(flows, readers)
    handlers = Handlers(repo, application, rows, Writer(application, readers), failures)
    by_name = {target.name: target for target in aims}
    ahead = {
        item.document.name: Ahead(repo, flows, item.document.name, item.plan.signals, pulls.by_name, readers, clock)
        for item in compiled
    }
    slices = Slices(repo, application, builders, climber, by_name, handlers, ahead)
    jobs = Jobs(JobStates(repo), slices, durable, clock, process, alive)
    dispatcher = Dispatcher(application, aims)
    argus = Argus(repo, dispatcher, builders, climber, handlers, jobs, batch_documents_max)
    reads = {item.document.name: tables_of(application, item) for item in compiled}
    lifecycle = Lifecycle(repo, application, argus, jobs, admission.since, reads, sources)
    types = {item.document.name: [pulls.by_name[one.signal.name] for one in item.plan.signals] for item in compiled}
    refresh = Refresh(types, jobs.signals, clock, at_once=not lifecycle.first)
    return Parts(argus, jobs, lifecycle, handlers, builders, pulls, refresh)
