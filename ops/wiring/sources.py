"""The gateway role: one gateway for each source, their polls in the pass that also applies what they send."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.processor import Gateway
from ops.engine.back_pressure import Gate
from ops.engine.file_watch import FileWatch
from ops.engine.pace import WATCHED_QUIET_MS, Pace
from ops.engine.step import FunctionStep
from ops.wiring.store import Store
from proto.errors import SettingsError
from proto.flows.model import Flows

CHUNK_ROWS_A_MS = 40
"""Rows of a bootstrap that a loop may take in for each millisecond of its budget: that is what applying them takes."""


@dataclass(slots=True)
class Source:
    """A gateway and the step that polls it."""

    gateway: Gateway
    step: FunctionStep


def sqlite_capture(name: str, url: str) -> SqliteCapture:
    """Raises SettingsError for a URL of another kind of database."""
    if not url.startswith("sqlite:"):
        kind = url.partition(":")[0]
        raise SettingsError(f"source {name!r}: {kind!r} can't be captured here; give a file: sqlite:///shop.db")
    return SqliteCapture(url)


def gateway_role(store: Store, flows: Flows, sources: Mapping[str, str], gate: Gate | None) -> list[Source]:
    """sources: name -> URL. gate: back-pressure of what comes behind, if it is in this process."""
    return [_source(store, flows, name, url, gate) for name, url in sources.items()]


def _source(store: Store, flows: Flows, name: str, url: str, gate: Gate | None) -> Source:
    step_name = f"gateway {name}"
    capture = sqlite_capture(name, url)
    gateway = Gateway(name, flows, capture, store.log, store.clock, store.settings.gateway, str(store.folder.resolve()))
    store.closing.append(gateway.close)

    def poll() -> bool:
        progress = gateway.progress  # None: it has not looked yet whether there is something to read
        to_read = (progress is None or progress.tasks) and (gate is None or not gate.shut)
        budget_ms = store.traffic.ask(step_name, store.clock.monotonic_ms()) if to_read else 0.0
        return gateway.step(int(budget_ms * CHUNK_ROWS_A_MS))

    step = FunctionStep(
        step_name,
        poll,
        store.clock,
        store.settings.engine,
        pace=_watched_pace(store, url, gateway),
        gate=gate or (lambda: True),
        committed=gateway.committed,
        undone=gateway.undone,
    )
    return Source(gateway, step)


def _watched_pace(store: Store, url: str, gateway: Gateway) -> Pace:
    """Where the system tells of writes to the file, a silent source is looked at seldom."""
    watched = Pace(quiet_ms=WATCHED_QUIET_MS)

    def written() -> None:
        watched.stir()
        gateway.hint()

    watch = FileWatch.open(Path(url.removeprefix("sqlite:///")), written)
    if watch is None:
        return Pace()
    store.bell.watch(watch)
    return watched
