"""`adsindex run`: the roles of the system in one process, on the user's own database."""

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from argus.generations import load as admitted
from argus.registry import Application
from gateway.capture.sqlite.schema import inspect
from ops.cli import render
from ops.cli.announce import Announcer, StandBy
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine import hangs, overruns
from ops.engine.draining import draining
from ops.engine.loop import Periodic
from ops.extras import needing
from ops.flows_files import chosen, load_application
from ops.installation import Installation, load_installation, parse_sources, save_installation
from ops.opened import FLOWS_FILE, DataFolder
from ops.roles import ORACLE, ROLES
from ops.settings import load_settings
from ops.wiring.adoption import Adoption
from ops.wiring.process import Process, assemble_process
from ops.wiring.store import Store, open_store
from proto.errors import SettingsError
from proto.flows.writer import write_flows

_ROLES_TEXT = f"{', '.join(ROLES)} (default: these), or {ORACLE} alone"


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
    role: Annotated[list[str] | None, Parameter(help=f"Only these roles: {_ROLES_TEXT}.")] = None,
    rpc: Annotated[int | None, Parameter(help="Serve gRPC at this port of 127.0.0.1; 0: at one that is free.")] = None,
    adopt: Annotated[
        bool, Parameter(help="Take over what `adsindex flows apply` admits; --no-adopt: leave it to new processes.")
    ] = True,
    json: Json = False,
) -> int:
    """Run the index on your own database, until Ctrl-C or SIGTERM.

    The first time name the source; the data folder remembers source, flows file and handlers.

    For example:

        adsindex run --source sqlite:///shop.db --data shop-data --flows flows.toml --handlers fields.py
        adsindex run --data shop-data --rpc 50051
        adsindex run --role oracle
    """
    if role == [ORACLE]:
        return _oracle(data, json)
    installation = _installation(data, source, flows, handlers)
    application = load_application(installation)
    roles = _roles(role)
    store = open_store(data, load_settings(data, os.environ).settings)
    try:
        served = None if rpc is None else _rpc(store, application, installation)
        inlets = [] if served is None else [served.inlet]
        process = assemble_process(store, application, installation.sources, roles, (), StandBy(json), inlets)
        _remember(data, store, installation)
    except BaseException:
        store.close()
        raise
    adoption = _adoption(process, data, adopt)
    announcer = Announcer(process, data, json, adoption)
    try:
        process.loop.periodically(Periodic(adoption.look, 200.0))
        process.loop.periodically(Periodic(announcer.look, 100.0))
        with draining(process.loop.stop), hangs.told(process.loop), _functions_bounded(store, application):
            announcer.started(installation.sources, application)
            if served is not None:
                announcer.serving(served.start(rpc))
            process.loop.run()
    finally:
        adoption.close()
        if served is not None:
            served.stop()
        process.close()
    announcer.stopped()
    if adoption.adopting:
        _start_again(data, roles, rpc, json)
    return WRONG if adoption.replaced else OK


def _functions_bounded(store: Store, application: Application) -> AbstractContextManager[None]:
    return overruns.ended(application.modules(), store.settings.argus.function_ms_max, store.clock.monotonic_ms)


def _oracle(data: Path, as_json: bool) -> int:
    code: int = needing("hbase,rpc", "ops.cli.run_oracle").run_oracle(data, as_json)
    return code


def _remember(data: Path, store: Store, installation: Installation) -> None:
    state = admitted(store.repo)
    if state is None or state.next is None:  # otherwise what was applied is remembered already
        save_installation(data, installation)


def _start_again(data: Path, roles: Sequence[str], rpc: int | None, as_json: bool) -> None:
    """In the place of this process, with what the data folder remembers. Does not return."""
    port = [] if rpc is None else ["--rpc", str(rpc)]
    again = [
        *_program(),
        "run",
        "--data",
        str(data),
        "--role",
        ",".join(roles),
        *port,
        *(["--json"] if as_json else []),
    ]
    os.execv(again[0], again)


def _program() -> list[str]:
    """How this program was started, without its arguments."""
    return [sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]]


def _adoption(process: Process, data: Path, adopt: bool) -> Adoption:
    check = [*_program(), "flows", "check", "--data", str(data), "--json"]
    ours = sys.argv[1:2] == ["run"]  # otherwise the program is somebody else's, and not ours to start again
    return Adoption(process.store, process.admission.number, check if adopt and ours else None, process.loop.stop)


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
    known.sources = parse_sources(source) if source else known.sources
    if not known.sources:
        raise SettingsError("name the database: adsindex run --source sqlite:///shop.db")
    if flows is None and not known.flows:
        flows = _first_flows(data, known.sources)
    return chosen(flows, handlers, known)


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
            raise SettingsError(f"there is no role {name!r} here; there are: {_ROLES_TEXT}")
    return tuple(name for name in ROLES if name in wanted)
