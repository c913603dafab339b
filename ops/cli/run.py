"""`adsindex run`: the roles of the system in one process, on the user's own database."""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from argus.registry import Application, register
from gateway.capture.sqlite.schema import inspect
from ops.cli import render
from ops.cli.announce import Announcer
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.loop import Periodic
from ops.engine.signals import draining
from ops.installation import Installation, load_installation, parse_sources, save_installation
from ops.opened import FLOWS_FILE, DataFolder
from ops.settings import load_settings
from ops.wiring.handlers import load_handlers
from ops.wiring.process import ROLES, assemble_process
from ops.wiring.store import Store, open_store
from proto.errors import SettingsError
from proto.flows.loader import load
from proto.flows.writer import write_flows


def run(
    *,
    source: Annotated[
        list[str] | None, Parameter(help="A database: sqlite:///shop.db, or NAME=URL; may be given several times.")
    ] = None,
    data: Data = DEFAULT_DATA,
    flows: Annotated[Path | None, Parameter(help="The flows file. Without: one is written from the tables.")] = None,
    handlers: Annotated[
        list[str] | None, Parameter(help="Fields and handlers: a module, a .py file, a folder; several times.")
    ] = None,
    role: Annotated[list[str] | None, Parameter(help=f"Only these roles: {', '.join(ROLES)}. Default: all.")] = None,
    rpc: Annotated[int | None, Parameter(help="Serve gRPC at this port of 127.0.0.1; 0: at one that is free.")] = None,
    json: Json = False,
) -> int:
    """Run the index on your own database, until Ctrl-C or SIGTERM.

    The first time name the source; the data folder remembers source, flows file and handlers.

    For example:

        adsindex run --source sqlite:///shop.db --data shop-data --flows flows.toml --handlers fields.py
        adsindex run --data shop-data
        adsindex run --data shop-data --rpc 50051
    """
    installation = _installation(data, source, flows, handlers)
    application = load_application(installation)
    roles = _roles(role)
    store = open_store(data, load_settings(data, os.environ).settings)
    try:
        served = None if rpc is None else _rpc(store, application, installation)
        inlets = [] if served is None else [served.inlet]
        process = assemble_process(store, application, installation.sources, roles, inlets=inlets)
    except BaseException:
        store.close()
        raise
    save_installation(data, installation)
    announcer = Announcer(process, data, json)
    process.loop.periodically(Periodic(announcer.look, 100.0))
    try:
        with draining(process.loop.stop):
            announcer.started(installation.sources, application)
            if served is not None:
                announcer.serving(served.start(rpc))
            process.loop.run()
    finally:
        if served is not None:
            served.stop()
        process.close()
    announcer.stopped()
    return OK


def load_application(installation: Installation) -> Application:
    """The flows file with its handlers. Raises FlowsError, SettingsError."""
    path = Path(installation.flows)
    return register(load(path), load_handlers(installation.handlers, path))


def _rpc(store: Store, application: Application, installation: Installation) -> Any:
    """An ops.wiring.rpc.Rpc. Imported only here: gRPC is an extra, and takes a while to import."""
    folder = DataFolder(
        store.folder, store.repo, store.log, store.dead_letters, store.schemas, application.flows, store.clock,
        store.environment,
    )  # fmt: skip
    answers = import_module("ops.cli.answers").answers(folder)
    return import_module("ops.wiring.rpc").Rpc(store, application, list(installation.sources), answers)


def _installation(
    data: Path, source: Sequence[str] | None, flows: Path | None, handlers: Sequence[str] | None
) -> Installation:
    """What was given now, over what the folder remembers."""
    known = load_installation(data)
    sources = parse_sources(source) if source else known.sources
    if not sources:
        raise SettingsError("name the database: adsindex run --source sqlite:///shop.db")
    chosen = str(flows.resolve()) if flows else known.flows
    if not chosen:
        chosen = str(_first_flows(data, sources))
    absolute = [str(Path(name).resolve()) if Path(name).exists() else name for name in handlers or ()]
    return Installation(sources, chosen, absolute if handlers else known.handlers)


def _first_flows(data: Path, sources: dict[str, str]) -> Path:
    """Written from the tables of the first source, kept in the data folder for the user to edit."""
    path = (data / FLOWS_FILE).resolve()
    if not path.exists():
        text = write_flows(inspect(next(iter(sources.values()))))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        render.note(f"adsindex: no --flows given; wrote a first one from the tables: {path}")
    return path


def _roles(names: Sequence[str] | None) -> tuple[str, ...]:
    wanted = [part for name in names or ROLES for part in name.split(",")]
    for name in wanted:
        if name not in ROLES:
            raise SettingsError(f"there is no role {name!r}; there are: {', '.join(ROLES)}")
    return tuple(name for name in ROLES if name in wanted)
