"""`adsindex source attach|detach`: triggers and change log in a database, installed and removed."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from gateway.identify import attach as attach_source
from gateway.progress import Progress, ProgressLog
from ops.cli import render
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.installation import DEFAULT_SOURCE, load_installation, parse_sources, save_installation
from ops.opened import STORE_FILE, opened
from ops.settings import load_settings
from ops.wiring.sources import sqlite_capture
from ops.wiring.store import open_store
from proto.errors import SettingsError
from repo.drops import Piles

source = App(name="source", help="Attach a database, or let go of it.", help_format="plaintext")

Given = Annotated[str | None, Parameter(help="The database: sqlite:///shop.db, or NAME=URL. Default: those of --data.")]


@source.command
def attach(
    url: Given = None,
    *,
    data: Data = DEFAULT_DATA,
    new_incarnation: Annotated[
        bool,
        Parameter(negative=(), show_default=False, help="The database was restored or replaced: bootstrap it again."),
    ] = False,
    json: Json = False,
) -> int:
    """Install the change log in a database, and remember it in the data folder. `run` does it by itself for a new one.

    After a restore, or when the file was replaced, `run` stops that source; then say so with --new-incarnation.

    For example:

        adsindex source attach --new-incarnation --data shop-data
        adsindex source attach eu=sqlite:///eu.db --data shop-data
    """
    installation = load_installation(data)
    chosen = parse_sources([url]) if url else installation.sources
    if not chosen:
        raise SettingsError("name the database: adsindex source attach sqlite:///shop.db")
    for name, address in chosen.items():
        capture = sqlite_capture(name, address)
        try:
            identity = attach_source(name, capture, _captured(data, name), new_incarnation)
        finally:
            capture.close()
        installation.sources[name] = address
        if json:
            render.print_json({"source": name, "url": address, "incarnation": identity.incarnation})
        else:
            render.print_line(f"source {name}: attached, incarnation {identity.incarnation}")
    save_installation(data, installation)
    return OK


@source.command
def detach(
    name: Annotated[str, Parameter(help="The source's name, or the database's URL.")] = DEFAULT_SOURCE,
    *,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Remove triggers and change log from a database; what is indexed stays as it is.

    For example:

        adsindex source detach main --data shop-data
        adsindex source detach sqlite:///shop.db
    """
    installation = load_installation(data)
    url = installation.sources.get(name, name)
    if name not in installation.sources and "://" not in name:
        known = ", ".join(installation.sources) or "none"
        raise SettingsError(f"{data} has no source {name!r} (detached already?), but: {known}; or give its URL")
    if name in installation.sources:
        _refuse_unhealed(data, name)
    capture = sqlite_capture(name, url)
    try:
        capture.detach()
    finally:
        capture.close()
    if installation.sources.pop(name, None) is not None:
        save_installation(data, installation)
    if json:
        render.print_json({"source": name, "url": url, "detached": True})
    else:
        render.print_line(f"source {name}: detached; triggers and change log are gone from {url}")
    return OK


def _refuse_unhealed(data: Path, name: str) -> None:
    """Rows that were dropped can only be read again while the source is there."""
    if not (data / STORE_FILE).exists():
        return
    with opened(data) as folder:
        left = sum(pile.open for pile in Piles(folder.repo).now() if pile.source == name)
    if left:
        raise SettingsError(
            f"{left:,} rows of source {name} were dropped as stale and are not healed yet: adsindex lanes heal --wait"
        )


def _captured(data: Path, name: str) -> Progress | None:
    """How far a data folder has captured a source; None: not at all."""
    if not (data / STORE_FILE).exists():
        return None
    store = open_store(data, load_settings(data, os.environ).settings)
    try:
        return ProgressLog(store.log, name).load()
    finally:
        store.close()
