"""Puts Argus together for one application on one Repo."""

from collections.abc import Sequence
from dataclasses import dataclass

from argus.build import Builder
from argus.climb import Climber, targets
from argus.compile import compile_document
from argus.context import Context, RowStore
from argus.dispatch import Dispatcher
from argus.failures import BuildFailures
from argus.fetch import Fetch
from argus.handle import Handlers
from argus.jobs import Jobs
from argus.lifecycle import Lifecycle
from argus.processor import Argus
from argus.registry import Application
from proto.flows.model import Flows
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetters
from proto.ports.log import Durable
from repo.api import Repo
from repo.rows import GroupReader, Schemas
from repo.system import specs


@dataclass(frozen=True, slots=True)
class Parts:
    """Argus, put together."""

    argus: Argus
    jobs: Jobs
    lifecycle: Lifecycle
    handlers: Handlers
    builders: dict[str, Builder]


def row_readers(flows: Flows, schemas: Schemas) -> dict[tuple[str, str], GroupReader]:
    """(table, group) -> reader, their schemas registered."""
    wanted = [(table.name, group, names) for table in flows.tables.values() for group, names in table.groups().items()]
    registered = schemas.register([names for _, _, names in wanted])
    return {
        (table, group): GroupReader(schemas, schema)
        for (table, group, _), schema in zip(wanted, registered, strict=True)
    }


def assemble(
    repo: Repo,
    durable: Durable,
    schemas: Schemas,
    application: Application,
    number: int,
    sources: Sequence[str],
    dead_letters: DeadLetters,
    clock: Clock,
) -> Parts:
    """Compiles every document type, registers schemas, declares tables. number: of the admitted flows generation."""
    flows = application.flows
    repo.declare(specs(flows, tuple(application.handlers)))
    readers = row_readers(flows, schemas)
    rows = RowStore(flows, readers)
    failures = BuildFailures(dead_letters, clock)
    compiled = [compile_document(application, document) for document in flows.documents.values()]
    builders: dict[str, Builder] = {}
    for item, schema in zip(compiled, schemas.register([item.names for item in compiled]), strict=True):
        builders[item.document.name] = Builder(
            repo,
            item,
            Fetch(item.plan, readers),
            rows,
            lambda source: Context(flows, source),
            schema,
            number,
            failures,
            clock,
        )
    aims = [target for item in compiled for target in targets(item.document.name, item.plan)]
    climber = Climber(flows, readers)
    handlers = Handlers(repo, application, readers, rows, dead_letters, clock)
    by_name = {target.name: target for target in aims}
    jobs = Jobs(repo, durable, application, builders, climber, by_name, handlers, clock)
    dispatcher = Dispatcher(application, aims, any(item.asynchronous for item in compiled))
    argus = Argus(repo, dispatcher, builders, climber, handlers, jobs)
    return Parts(argus, jobs, Lifecycle(repo, application, argus, jobs, number, sources), handlers, builders)
