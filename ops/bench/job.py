"""Runs the job, phase after phase, and returns its figures."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

from ops.bench import phases
from ops.bench.beside import BesideRefresh, Refresh, Settled
from ops.bench.crash import crash
from ops.bench.figures import Figures
from ops.bench.machine import machine, resident_mb, versions
from ops.bench.phases import Bulk, Phase, Seen, Trickle
from ops.bench.stages import StageClock, us_per_document
from ops.bench.verify import TornCheck, wrong_bids, wrong_documents
from ops.demo.sample import FLOWS, make_database, running
from ops.demo.scale import Scale
from ops.demo.schema import connect
from ops.demo.signal_values import says
from ops.opened import opened
from ops.settings import Settings
from ops.wiring.process import Process
from proto.codec import decode_key
from proto.errors import UnavailableError
from proto.events import DeltaDocument
from proto.flows.loader import load
from serving.reader import DocumentReader

BURST = 20_000
FLOWS_OF = {
    "j4": Path(__file__).with_name("j4.toml"),
    "application": FLOWS,
    "lean": Path(__file__).with_name("lean.toml"),
}
REINSERTED = 1_000
CRASH_S_MIN, CRASH_S_MAX = 3.0, 15.0
BESIDE_S_MAX = 10.0
_TORN_LOOK = 20_000
_MEMORY_EVERY_MS = 100.0


@dataclass(frozen=True, slots=True)
class Options:
    """job: one of FLOWS_OF. phases: letters, "abc". rate: edits a second of trickles; seconds: how long phase b is."""

    job: str
    scale: Scale
    phases: str
    rate: float
    seconds: float
    seed: int


class Bench:
    """Leads the process from phase to phase; `step` is a step of its loop, `hook` is called for each version that a
    reader gets."""

    def __init__(self, folder: Path, options: Options, tell: Callable[[str], None]) -> None:
        self._folder, self._options, self._tell = folder, options, tell
        self._random = Random(options.seed)
        self._connection = connect(folder / "ads.db")
        self._queue: Iterator[Phase] = iter(())
        self._current: Phase | None = None
        self._trickles: list[Trickle] = []
        self._loaded = 0
        self.failed: UnavailableError | None = None
        self._memory_due_ms = 0.0
        self.figures = Figures(
            job=options.job,
            scale=options.scale.name,
            seed=options.seed,
            machine=machine(),
            versions=versions(),
            settings={"durable": "sync and metasync", "edits_per_s": options.rate, "trickle_s": options.seconds},
            rss_mb=0.0,
        )

    def lead(self, process: Process) -> None:
        """Before the loop runs."""
        self._process, self._clock = process, process.store.clock
        self._stages = StageClock(process)
        self._torn = TornCheck(process.store.log, process.store.schemas)
        self._queue = self._plan()
        self._next()

    def hook(self, delta: DeltaDocument, servable_ms: float) -> None:
        """A document, as the reader gets it."""
        self._loaded += 1
        if self._current is not None:
            self._current.seen(Seen(decode_key(delta.key)[1], delta.commit_ms, servable_ms))

    def step(self) -> bool:
        """Never has work of its own."""
        now_ms = self._clock.monotonic_ms()
        if now_ms >= self._memory_due_ms:
            self._memory_due_ms = now_ms + _MEMORY_EVERY_MS
            self.figures.rss_mb = round(max(self.figures.rss_mb or 0.0, resident_mb()), 1)
        try:
            if self._current is not None and self._current.done():
                self._next()
        except UnavailableError as error:  # the loop would try again for ever
            self.failed = error
            self._process.loop.stop()
        return False

    def close(self) -> None:
        """Ends what still runs beside."""
        for trickle in self._trickles:
            trickle.stop()

    def finish(self, process: Process, reader: DocumentReader) -> None:
        """After the phases in one process: was it right, what did it take?"""
        self.figures.commits = process.store.environment.commits
        self.figures.reader_mb = round(reader.index.size_bytes() / 2**20, 1)
        self.figures.documents = sum(1 for _ in reader.index.keys("ad"))
        self._verify(reader)

    def crash(self, data: Path, reader: DocumentReader) -> None:
        """Phase f. The reader goes on where it was, on what the processes publish."""
        self._tell("f kill -9 of every role")
        seconds = min(max(self._options.seconds, CRASH_S_MIN), CRASH_S_MAX)
        with opened(data) as folder:
            torn = TornCheck(folder.log, folder.schemas)
            tailing = DocumentReader(folder.log, folder.clock, start_offsets=reader.offsets())
            tailing.index = reader.index
            editor = self._trickle("f edits", seconds, 77, "")
            signals = load(FLOWS_OF[self._options.job]).signals
            kills, servable = crash(data, editor, self._options.seed, self._random, signals, self._tell)
            while tailing.poll():
                pass
            torn.look(_TORN_LOOK)
        self.figures.crash = {"kills": kills, "edits": len(editor.edits()), "all_servable": int(servable)}
        self.figures.torn = (self.figures.torn or 0) + torn.torn
        self.figures.looked_at += torn.looked_at
        self._verify(tailing)

    def _plan(self) -> Iterator[Phase]:
        options, figures, wanted = self._options, self.figures, self._options.phases
        yield from self._load()
        if "b" in wanted:
            trickle = self._trickle("b trickle", options.seconds, options.seed)
            yield trickle
            figures.trickle_ms, figures.trickle_edits = trickle.latency_ms(), len(trickle.edits())
        if "c" in wanted:
            yield from self._burst()
        if "d" in wanted:
            fanouts = phases.fanouts(self._connection, self._clock, self._random, options.scale)
            figures.fanout_ms = yield from self._bulks(fanouts)
        if "e" in wanted:
            count = min(REINSERTED, options.scale.ads // 5)
            again = phases.reinsertion(self._connection, self._clock, self._random, count)
            figures.reinsert_ms = yield from self._bulks(again)
        if "g" in wanted:
            yield self._trickle("g torn reads", min(options.seconds, 10.0), options.seed + 1, "torn_pair")
        if "h" in wanted:
            yield from self._beside()

    def _load(self) -> Iterator[Phase]:
        assert self._process.built is not None
        began_ms, lifecycle = self._clock.monotonic_ms(), self._process.built.parts.lifecycle
        yield Settled("a cold load", lambda: lifecycle.settled and self._loaded >= self._options.scale.ads)
        elapsed_ms = self._clock.monotonic_ms() - began_ms
        self.figures.load_s = round(elapsed_ms / 1000, 2)
        self.figures.load_docs_per_s = round(self._loaded / elapsed_ms * 1000)

    def _burst(self) -> Iterator[Phase]:
        count = min(BURST, self._options.scale.ads)
        one, before = phases.burst(self._connection, self._clock, self._random, count), self._stages.spent_s()
        yield one
        self.figures.burst_documents = one.documents
        self.figures.burst_docs_per_s = round(one.documents / one.elapsed_ms() * 1000)
        self.figures.stages_us_per_doc = us_per_document(before, self._stages.spent_s(), one.documents)

    def _bulks(self, bulks: Iterator[Bulk]) -> Generator[Phase, None, dict[str, float]]:
        spent: dict[str, list[float]] = {}
        for one in bulks:
            yield one
            spent.setdefault(one.figure, []).append(one.elapsed_ms())
        return {figure: round(median(values), 1) for figure, values in spent.items()}

    def _beside(self) -> Iterator[Phase]:
        seconds = min(self._options.seconds, BESIDE_S_MAX)
        refresh = Refresh(self._process)
        beside = BesideRefresh(refresh)
        yield from beside.runs(lambda title, number, keep: self._trickle(title, seconds, number, beside=keep))
        self.figures.high_p99_shift, self.figures.high_p99_ms = beside.shift(), beside.p99_ms
        self.figures.refresh_docs_per_s = round(refresh.docs_per_s())

    def _trickle(
        self, title: str, seconds: float, seed: int, kinds: str = phases.SINGLE_ROWS,
        beside: Callable[[], None] = lambda: None,
    ) -> Trickle:  # fmt: skip
        made = Trickle(title, self._folder, self._options.rate, seconds, seed, self._clock, kinds, beside)
        self._trickles.append(made)
        return made

    def _next(self) -> None:
        if self._current is not None and self._options.job != "lean":
            self._torn.look(_TORN_LOOK)
            self.figures.torn, self.figures.looked_at = self._torn.torn, self._torn.looked_at
        self._current = None
        self._current = next(self._queue, None)
        if self._current is None:
            self._process.loop.stop()
            return
        if self._current.title:
            self._tell(self._current.title)
        self._current.start()

    def _verify(self, reader: DocumentReader) -> None:
        edits = [edit for trickle in self._trickles for edit in trickle.edits()]
        edited = {ad for edit in edits for ad in edit.ads}
        with connect(self._folder / "ads.db") as connection:
            if self._options.job != "lean":
                said = says(self._options.seed)
                names = _compared(self._options.job)
                wrong, self.figures.compared = wrong_documents(connection, reader, said, self._random, edited, names)
            else:
                wrong, self.figures.compared = wrong_bids(connection, reader, edited)
        self.figures.mismatches = len(wrong)
        self.figures.lost = sum(1 for edit in edits if wrong.intersection(edit.ads))
        self.figures.duplicates = reader.index.counters.duplicates


def _compared(job: str) -> frozenset[str] | None:
    """Fields that the job has in common with the application, of which there is a join in SQL; None: all."""
    if job == "application":
        return None
    ours, sample = (load(FLOWS_OF[name]).documents["ad"].fields for name in (job, "application"))
    return frozenset(ours).intersection(sample)


def run_job(folder: Path, options: Options, settings: Settings, tell: Callable[[str], None]) -> Figures:
    """folder: new and empty; the database and the data folder are made in it."""
    tell(f"the sample database, {options.scale.ads:,} ads")
    _, sources = make_database(folder, options.scale, options.seed)
    bench = Bench(folder, options, tell)
    with running(folder, sources, settings, bench, bench.hook, options.seed, FLOWS_OF[options.job]) as (
        process,
        reader,
    ):
        if bench.failed is not None:
            raise bench.failed
        while reader.poll():
            pass
        bench.finish(process, reader)
    if "f" in options.phases:
        bench.crash(folder / "data", reader)
    return bench.figures
