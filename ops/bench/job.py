"""Runs job J4 in one process and returns its figures."""

import platform
import resource
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median

import msgspec

from ops.bench.phases import Fanout, Phase, Trickle, fanouts, spread
from ops.demo.check import check
from ops.demo.play import is_torn_version, served_documents
from ops.demo.sample import make_database, running
from ops.demo.scale import Scale
from ops.demo.schema import connect
from ops.demo.witness import Witness
from ops.settings import Settings
from ops.wiring.process import Process
from serving.reader import DocumentReader

BURST = 20_000


class Figures(msgspec.Struct, omit_defaults=True):
    """What `adsindex bench` measures. None: the phase was not run. Durable commits throughout (sync and metasync
    on)."""

    job: str
    documents: int
    version: str
    machine: str
    load_docs_per_s: float | None = None
    load_s: float | None = None
    trickle_ms: dict[str, float] | None = None
    trickle_edits: int | None = None
    burst_docs_per_s: float | None = None
    fanout_ms: dict[str, float] | None = None
    mismatches: int = 0
    lost: int = 0
    torn: int = 0
    duplicates: int = 0
    rss_mb: float = 0.0
    commits: int = 0


class Bench:
    """Leads the process from phase to phase; `step` is a step of its loop."""

    def __init__(
        self, database: Path, phases: str, rate: float, seconds: float, seed: int, tell: Callable[[str], None]
    ) -> None:
        self._database, self._phases, self._tell = database, phases, tell
        self._rate, self._seconds, self._random = rate, seconds, Random(seed)
        self._connection = connect(database)
        self._queue: Iterator[Phase] = iter(())
        self._current: Phase | None = None
        self._loading = True
        self._counted = 0
        self.witness = Witness()
        self.fanouts: list[Fanout] = []
        self.trickle: Trickle | None = None
        self.load_ms = 0.0

    def lead(self, process: Process) -> None:
        """Before the loop runs."""
        self._process, self._clock = process, process.store.clock
        self._began_ms = self._clock.monotonic_ms()
        self._tell("a: cold load")

    def step(self, budget_ms: float) -> bool:
        if self._loading:
            assert self._process.built is not None
            if self._process.built.parts.lifecycle.settled:
                self._loading = False
                self.load_ms = self._clock.monotonic_ms() - self._began_ms
                self._queue = self._plan()
                self._next()
            return False
        for published in self.witness.published[self._counted :]:
            if self._current is not None:
                self._current.seen(published)
        self._counted = len(self.witness.published)
        if self._current is not None and self._current.done():
            self._next()
        return False

    def close(self) -> None:
        if self.trickle is not None:
            self.trickle.stop()
        self._connection.close()

    def _plan(self) -> Iterator[Phase]:
        if "b" in self._phases:
            log = self._database.with_name("trickle.jsonl")
            self.trickle = Trickle(self._database, log, self._rate, self._seconds, self._clock)
            yield self.trickle
        ads = sum(1 for _ in self._connection.execute("SELECT id FROM ads"))
        for fanout in fanouts(self._connection, self._clock, self._random, self._phases, min(BURST, ads)):
            self.fanouts.append(fanout)
            yield fanout

    def _next(self) -> None:
        self._current = next(self._queue, None)
        if self._current is None:
            self._process.loop.stop()
            return
        self._tell(self._current.name)
        self._current.start()


def run_job(
    folder: Path, scale: Scale, settings: Settings, phases: str, rate: float, seconds: float, seed: int,
    tell: Callable[[str], None],
) -> Figures:  # fmt: skip
    """folder: new and empty; the database and the data folder are made in it."""
    database, sources = make_database(folder, scale, seed)
    bench = Bench(database, phases, rate, seconds, seed, tell)
    with running(folder, sources, settings, bench, bench.witness) as (process, reader):
        return _figures(process, bench, reader, database, scale)


def _figures(process: Process, bench: Bench, reader: DocumentReader, database: Path, scale: Scale) -> Figures:
    documents = sum(1 for _ in reader.index.keys("ad"))
    figures = Figures(scale.name, documents, version("adsindex"), _machine())
    figures.rss_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    figures.load_s = round(bench.load_ms / 1000, 2)
    figures.load_docs_per_s = round(scale.ads / max(bench.load_ms, 1) * 1000, 0)
    figures.commits = process.store.environment.commits
    figures.duplicates = reader.index.counters.duplicates
    with connect(database) as connection:
        wrong = {mismatch.id for mismatch in check(connection, served_documents(reader))}
    figures.mismatches = len(wrong)
    figures.torn = sum(is_torn_version(process, seen) for seen in bench.witness.published)
    if bench.trickle is not None:
        edits = bench.trickle.edits()
        figures.trickle_edits = len(edits)
        figures.trickle_ms = spread([latency for _, latency in bench.witness.latencies_ms(edits)])
        figures.lost = sum(1 for edit in edits if wrong.intersection(edit.ads))
    bursts = [one for one in bench.fanouts if one.name == "burst"]
    if bursts:
        figures.burst_docs_per_s = round(bursts[0].documents / bursts[0].elapsed_ms() * 1000, 0)
    spreads: dict[str, list[float]] = {}
    for one in bench.fanouts:
        if one.name != "burst":
            spreads.setdefault(str(one.documents), []).append(one.elapsed_ms())
    if spreads:
        figures.fanout_ms = {name: round(median(values), 1) for name, values in spreads.items()}
    return figures


def _machine() -> str:
    return f"{platform.machine()}, Python {platform.python_version()}"
