"""`adsindex flows check|diff|apply|show`: a flows file, from its first draft to documents that are built by it."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from argus.describe import describe, generation_of
from argus.generations import history, load, propose
from argus.registry import Application
from ops.cli import flows_view, render
from ops.cli.acts import Reason, record
from ops.cli.exit_codes import OK, USAGE, WRONG
from ops.cli.flows_wait import wait_for
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.liveness import Liveness, LiveProcess
from ops.flows_effects import Effects, built_by, effects
from ops.flows_files import SourceFinding, against_sources, chosen, load_checked
from ops.installation import Installation, load_installation, parse_sources, save_installation
from ops.opened import DataFolder, opened
from proto.errors import FlowsError, SettingsError
from repo.system import GenerationState

flows = App(name="flows", help="The flows file: check, compare, admit, show.", help_format="plaintext")

File = Annotated[Path | None, Parameter(help="The flows file. Default: that of --data, else flows.toml.")]
Handlers = Annotated[
    list[str] | None, Parameter(name="--handlers", help="A module, a .py file, a folder. Default: those of --data.")
]


@flows.command
def check(
    file: File = None,
    /,
    *,
    handlers: Handlers = None,
    source: Annotated[
        list[str] | None, Parameter(help="Compare with this database, too. Default: those of --data.")
    ] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Find the mistakes in a flows file and its handlers, all at once; and what of it does not fit the real database.

    Tables, columns, keys and, on the first 1,000 rows of each table, types are compared. Nothing is changed.

    For example:

        adsindex flows check flows.toml --handlers fields.py --source sqlite:///shop.db
        adsindex flows check --data shop-data

    Exit code 2: the file or a handler must be changed; 1: it does not fit the database.
    """
    known = load_installation(data)
    installation = chosen(file, handlers, known)
    try:
        application = load_checked(installation)
    except FlowsError as error:
        if not json:
            raise
        render.print_json(flows_view.errors_as_json(error))
        return USAGE
    findings = against_sources(application.flows, parse_sources(source) if source else known.sources)
    if json:
        render.print_json(flows_view.checked_as_json(application, findings))
    else:
        flows_view.print_checked(installation.flows, application, findings)
    return WRONG if _broken(findings) else OK


@flows.command
def diff(file: File = None, /, *, handlers: Handlers = None, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show what a flows file would change against the running one, and what would be built, called and read again.

    For example:

        adsindex flows diff flows.toml --data shop-data
    """
    known = load_installation(data)
    application = load_checked(chosen(file, handlers, known))
    with opened(data) as folder:
        state = _state(folder)
        found = _effects(folder, state, application, known)
        if json:
            render.print_json(flows_view.effects_as_json(state, found))
        else:
            flows_view.print_effects(state, found)
    return OK


@flows.command
def apply(
    file: File = None,
    /,
    *,
    handlers: Handlers = None,
    yes: Annotated[bool, Parameter(negative=(), show_default=False, help="Do it, without asking.")] = False,
    wait: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Return when every document is built by it.")
    ] = False,
    timeout: Annotated[float, Parameter(help="Seconds to wait at most.")] = 3600.0,
    reason: Reason = "",
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Admit a flows file and its handlers as the next generation.

    Processes of `adsindex run` take it over by themselves, within a second: they finish what was begun and start again.
    With --no-adopt they go on until they are stopped, and a new process stands by to take over. What has changed is
    built again in the Low lane; until then the last documents are served. The same again changes nothing; the file that
    is current withdraws one that waits.

    For example:

        adsindex flows apply flows.toml --data shop-data
        adsindex flows apply --handlers fields.py --yes --wait

    Exit code 1: with --wait, not in time; 2: refused, nothing was changed.
    """
    known = load_installation(data)
    installation = chosen(file, handlers, known)
    application = load_checked(installation)
    _refuse_broken(against_sources(application.flows, known.sources))
    with opened(data) as folder:
        before = _state(folder)
        if not _agreed(before, application, yes):
            found = _effects(folder, before, application, known)
            if not json:
                flows_view.print_effects(before, found)
            if not _asked(before, application, json):
                render.note("nothing was changed")
                return USAGE
        after = propose(folder.repo, generation_of(application, folder.clock.now_ms()))
        save_installation(data, installation)
        what = flows_view.applied(before, after, application.generation)
        if (before.current.number, before.next) != (after.current.number, after.next):
            record(data, "flows apply", what, reason)
        _report(what, after, Liveness(data).others(), json)
        if not wait:
            return OK
        return wait_for(folder, application.generation, list(installation.sources), timeout, json)


@flows.command
def show(
    name: Annotated[str, Parameter(help="A document type, DOCUMENT.FIELD, a table, a signal or a handler.")] = "",
    /,
    *,
    generation: Annotated[int | None, Parameter(help="That one, with all that it is made of.")] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show which flows are admitted: since when, who works with them, how many documents each has built; definitions.

    For example:

        adsindex flows show
        adsindex flows show product.rating
        adsindex flows show --generation 2 --json
    """
    with opened(data) as folder:
        state = _state(folder)
        if name or generation is not None:
            return flows_view.print_definitions(state, history(folder.repo), generation, name, json)
        held = {
            part.removeprefix("document "): built_by(folder, part.removeprefix("document "))
            for part in state.current.since
            if part.startswith("document ")
        }
    flows_view.print_state(state, held, Liveness(data).others(), json)
    return OK


def _state(folder: DataFolder) -> GenerationState:
    state = load(folder.repo)
    if state is None:
        raise SettingsError(f"{folder.path} holds no flows yet: start `adsindex run --data {folder.path}` first")
    return state


def _effects(folder: DataFolder, state: GenerationState, application: Application, known: Installation) -> Effects:
    return effects(folder, state.current, application, describe(application), list(known.sources))


def _broken(findings: list[SourceFinding]) -> list[SourceFinding]:
    return [one for one in findings if one.finding.level == "error"]


def _refuse_broken(findings: list[SourceFinding]) -> None:
    """What would park a table, or make dead letters of all its rows."""
    sentences = [one.sentence() for one in _broken(findings)]
    if sentences:
        raise SettingsError("\n".join(["these flows don't fit the database; nothing was changed", *sentences]))


def _agreed(before: GenerationState, application: Application, yes: bool) -> bool:
    """Nobody needs to be asked: they said so, or nothing follows."""
    newest = before.next or before.current
    return yes or newest.hash == application.generation


def _asked(before: GenerationState, application: Application, as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():  # a question would stand among what a program reads
        raise SettingsError("nothing was changed: add --yes to admit these flows without being asked")
    withdraws = before.next is not None and before.current.hash == application.generation
    question = "Withdraw the generation that waits?" if withdraws else "Admit them as the next generation?"
    return input(f"\n{question} [y/N] ").strip().lower() in ("y", "yes")


def _report(what: str, after: GenerationState, living: list[LiveProcess], as_json: bool) -> None:
    if as_json:
        render.print_json({"what": what, **flows_view.numbers_as_json(after, living)})
        return
    render.print_line(what)
    if after.next is None:
        return
    if living:
        named = ", ".join(f"{one.role} ({one.pid})" for one in living)
        render.print_line(f"taken over by what runs now, one after the other: {named}")
    else:
        render.print_line("nothing runs now: the next `adsindex run --data DIR` takes it over")
    render.print_line("follow it with: adsindex flows show")
