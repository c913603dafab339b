"""How the product's updater, Argus and publisher are put together for a process of a run, and for which flows."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

from argus.api import HandlerContext, field
from argus.assemble import assemble
from argus.generations import Admission
from argus.processor import Argus
from argus.publish import Publisher
from argus.registry import Application, register
from proto.flows.loader import loads
from proto.ports.clock import Clock
from repo.api import Repo, TableSpec
from repo.rows import Schemas
from repo.system import specs
from tests.simulation.topics import DocumentsTopic
from tests.support.functions import module_of
from tests.support.shop import MemoryDeadLetters
from updater.processor import Updater

SOURCE, DOCUMENT = "main", "ad"
FLOWS = """
[tables.ads]
source = "ads"
key = "id"
columns = { id = "int", group_id = "int", title = "str" }
references = { group = "group_id -> groups" }

[tables.groups]
source = "groups"
key = "id"
columns = { id = "int", status = "str" }

[tables.campaigns]
source = "campaigns"
key = "id"
columns = { id = "int", budget = "int" }

[documents.ad]
root = "ads"

[documents.ad.fields]
title = "title"
status = "group.status"
"""


@field(inputs={"title": "title"}, version=1, document=DOCUMENT)
async def found(ctx: HandlerContext, title: str | None) -> int | None:
    """The budget of the campaign whose number is the title: a row that only the build knows of (N4)."""
    campaign = await ctx.read(ctx.row("campaigns", int(title or 0)))
    return campaign["budget"] if campaign else None  # type: ignore[return-value]


@cache
def application() -> Application:
    """Checked and compiled once for all runs."""
    return register(loads(FLOWS), [module_of(found)])


def tables() -> list[TableSpec]:
    """All that a Repo of these flows holds."""
    return list(specs(application().flows, ()))


@dataclass(frozen=True)
class ArgusProcess:
    """Three processors over one Repo."""

    updater: Updater
    argus: Argus
    publisher: Publisher


class NoGroups:
    """proto.ports.log.Durable where nothing is durable together: what was done is done."""

    def group(self) -> AbstractContextManager[None]:
        return nullcontext()

    def writing(self) -> bool:
        return False


def argus_process(repo: Repo, clock: Clock, documents: DocumentsTopic) -> ArgusProcess:
    """Raises UnavailableError as the Repo does."""
    flows, letters, schemas = application().flows, MemoryDeadLetters(), Schemas(repo)
    repo.declare(tables())
    admission = Admission(1, False, False, {f"document {DOCUMENT}": 1})
    parts = assemble(repo, NoGroups(), schemas, application(), admission, [SOURCE], letters, clock)
    parts.argus.live.add(DOCUMENT)
    topic: Any = documents  # of the log's port what a publisher needs
    return ArgusProcess(
        Updater(repo, schemas, flows, letters, clock), parts.argus, Publisher(repo, topic, schemas, clock)
    )
