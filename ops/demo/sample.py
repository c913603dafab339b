"""The sample application in one process: its database, all roles, a reader, and whoever leads it from step to step."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

from argus.registry import register
from ops.demo.generator import generate
from ops.demo.scale import Scale
from ops.demo.schema import connect, create
from ops.demo.signal_process import asking, signal_service
from ops.engine.step import FunctionStep
from ops.installation import Installation, save_installation
from ops.settings import Settings
from ops.wiring.process import Process, assemble_process
from ops.wiring.roles import pass_of
from ops.wiring.store import open_store
from proto.flows.loader import load
from serving.reader import DocumentReader, Hook

FLOWS = Path(__file__).parents[2] / "argus" / "ads" / "flows.toml"
SOURCE = "main"


class Leader(Protocol):
    """lead: told the process before its loop runs; step: called in each turn; close: at the end, whatever happened."""

    def lead(self, process: Process) -> None: ...

    def step(self) -> bool: ...

    def close(self) -> None: ...


def make_database(folder: Path, scale: Scale, seed: int) -> tuple[Path, dict[str, str]]:
    """The database `ads.db` in a new folder, and it as a source."""
    database = folder / "ads.db"
    with connect(database) as connection:
        create(connection)
        generate(connection, scale, Random(seed))
    return database, {SOURCE: f"sqlite:///{database}"}


@contextmanager
def running(
    folder: Path, sources: dict[str, str], settings: Settings, leader: Leader, on_document: Hook, seed: int = 1,
    flows: Path = FLOWS,
) -> Iterator[tuple[Process, DocumentReader]]:  # fmt: skip
    """Runs all roles until the leader stops the loop; inside, the process is still open. The data folder is `data`.

    seed: of the signal service, a process that runs meanwhile. flows: the sample's file, or a like one.
    """
    with signal_service(seed) as address:
        yield from _led(folder, sources, asking(settings, address, load(flows).signals), leader, on_document, flows)


def _led(
    folder: Path, sources: dict[str, str], settings: Settings, leader: Leader, on_document: Hook, flows: Path
) -> Iterator[tuple[Process, DocumentReader]]:
    save_installation(folder / "data", Installation(sources, str(flows)))
    store = open_store(folder / "data", settings)
    reader = DocumentReader(store.log, store.clock, on_document=on_document)
    serve = FunctionStep("reader", lambda: reader.poll() > 0, store.clock, settings.engine)
    lead = FunctionStep("leader", leader.step, store.clock, settings.engine)
    extra = [pass_of(store, "serve", [serve]), pass_of(store, "lead", [lead])]
    process = assemble_process(store, register(load(flows)), sources, extra=extra)
    leader.lead(process)
    try:
        process.loop.run()
        yield process, reader
    finally:
        leader.close()
        process.close()
