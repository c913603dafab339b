"""The gateway role: one gateway for each source, their polls in the pass that also applies what they send."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.processor import Gateway
from ops.engine.back_pressure import Gate
from ops.engine.file_watch import FileWatch
from ops.engine.pace import WATCHED_QUIET_MS, Pace
from ops.engine.step import FunctionStep
from ops.wiring.store import Store
from ops.wiring.work import FIRST_BUDGET_MS
from proto.errors import SettingsError
from proto.flows.model import Flows

CHUNK_ROWS_A_MS = 200
"""Rows of a bootstrap that a loop may take in for each millisecond of its budget."""


Calm = Callable[[], bool]


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


def gateway_role(store: Store, flows: Flows, sources: Mapping[str, str], gate: Gate | None, calm: Calm) -> list[Source]:
    """sources: name -> URL. gate: back-pressure of what comes behind, if it is in this process.

    calm: whether nobody waits for edits yet, so that chunks may be large.
    """
    return [_source(store, flows, name, url, gate, calm) for name, url in sources.items()]


def _source(store: Store, flows: Flows, name: str, url: str, gate: Gate | None, calm: Calm) -> Source:
    capture = sqlite_capture(name, url)
    gateway = Gateway(name, flows, capture, store.log, store.clock, store.settings.gateway)
    store.closing.append(gateway.close)

    def poll(budget_ms: float) -> bool:
        open_for_chunks = gate is None or not gate.shut
        rows = int(max(budget_ms, FIRST_BUDGET_MS if calm() else 0.0) * CHUNK_ROWS_A_MS)
        return gateway.step(rows if open_for_chunks else 0)

    step = FunctionStep(
        f"gateway {name}",
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
