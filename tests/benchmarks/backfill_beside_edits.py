"""What a backfill in the Low lane does to edits in the High lane: `python -m tests.benchmarks.backfill_beside_edits`.

The ads application with a feed of scores that every ad reads, all roles in one process. In turns: single-row edits at a
steady rate alone, and the same while `adsindex backfill` (a process of its own) changes the score of every ad, until
the last of their documents is published. Prints the latencies of each turn and the median shift of p99.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from ops.bench.phases import SINGLE_ROWS
from ops.demo.editor import Edit
from ops.demo.sample import FLOWS, make_database, running
from ops.demo.scale import SCALES
from ops.demo.witness import STAGES, Witness, quantile
from ops.settings import load_settings
from ops.wiring.process import Process
from proto.lane import Lane

FEED = """
[tables.ad_scores]
feed = true
key = "ad_id"
lane = "medium"
columns = { ad_id = "int", score = "float", computed_at = "datetime" }
"""
SETTLE_MS = 1_500.0


class Turn(NamedTuple):
    """edits: committed; latencies_ms: of those that changed a document; p99_ms: by stage."""

    fills: bool
    edits: int
    seconds: float
    latencies_ms: list[float]
    p99_ms: dict[str, float]


class Alternation:
    """Leads the process: load, then turns without and with a backfill."""

    def __init__(self, folder: Path, ads: int, turns: int, seconds: float, rate: float, rest: float) -> None:
        """seconds: of a turn without a backfill; rest: of the disk, after the load."""
        self.witness = Witness()
        self.turns: list[Turn] = []
        self._folder, self._ads, self._rate, self._quiet_ms = folder, ads, rate, seconds * 1000
        self._rest_ms = rest * 1000
        self._left = [fills for _ in range(turns) for fills in (False, True)]
        self._editor: subprocess.Popen[bytes] | None = None
        self._filling: subprocess.Popen[bytes] | None = None
        self._act: Callable[[], None] = self._loading
        self._act_ms = 0.0

    def lead(self, process: Process) -> None:
        self._process, self._clock = process, process.store.clock

    def step(self) -> bool:
        self._act()
        return False

    def close(self) -> None:
        for one in (self._editor, self._filling):
            if one is not None and one.poll() is None:
                one.terminate()
                one.wait()

    def _loading(self) -> None:
        assert self._process.built is not None
        if self._process.built.parts.lifecycle.settled:
            self._enter(self._resting)

    def _resting(self) -> None:
        if self._clock.monotonic_ms() - self._act_ms < (SETTLE_MS if self.turns else self._rest_ms):
            return
        if not self._left:
            self._process.loop.stop()
            return
        self.witness.published.clear()
        self._edits = self._folder / f"edits{len(self.turns)}.jsonl"
        options = ("--source", self._folder / "ads.db", "--rate", self._rate, "--seconds", 600)
        command = [sys.executable, "-m", "ops.demo.editor", *map(str, options), "--seed", str(len(self.turns))]
        with self._edits.open("wb") as out:
            self._editor = subprocess.Popen([*command, "--only", SINGLE_ROWS], stdout=out)
        if self._left[0]:
            self._filling = self._backfill(len(self.turns))
        self._enter(self._measuring)

    def _measuring(self) -> None:
        elapsed_ms = self._clock.monotonic_ms() - self._act_ms
        if not self._filled() if self._left[0] else elapsed_ms < self._quiet_ms:
            return
        self.close()
        self._took_s = elapsed_ms / 1000
        self._enter(self._draining)

    def _filled(self) -> bool:
        """Everything is read and applied, and what follows from it is published."""
        assert self._filling is not None
        if self._filling.poll() is None:
            return False
        return not any(stage.backlog().get(Lane.LOW) for stage in self._process.stages.values())

    def _draining(self) -> None:
        if self._clock.monotonic_ms() - self._act_ms < SETTLE_MS:
            return
        edits = [msgspec.json.decode(line, type=Edit) for line in self._edits.read_bytes().splitlines()[:-1]]
        high = Witness()
        high.published = [one for one in self.witness.published if one.lane == Lane.HIGH]
        latencies = [latency for _, latency in high.latencies_ms(edits)]
        stages = {name: [one.stages_ms[at] for one in high.published] for at, name in enumerate(STAGES)}
        p99_ms = {name: round(quantile(values, 0.99), 1) for name, values in stages.items()}
        self.turns.append(Turn(self._left.pop(0), len(edits), self._took_s, latencies, p99_ms))
        self._enter(self._resting)

    def _backfill(self, turn: int) -> subprocess.Popen[bytes]:
        rows = self._folder / f"scores{turn}.jsonl"
        with rows.open("w") as out:
            for ad in range(1, self._ads + 1):
                row = {"ad_id": ad, "score": ad / (turn + 2), "computed_at": "2026-01-01T00:00:00Z"}
                out.write(json.dumps(row) + "\n")
        command = (
            sys.executable,
            "-m",
            "ops",
            "backfill",
            rows,
            "--table",
            "ad_scores",
            "--data",
            self._folder / "data",
        )
        return subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)

    def _enter(self, act: Callable[[], None]) -> None:
        self._act, self._act_ms = act, self._clock.monotonic_ms()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="j4", choices=[*SCALES])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each turn without a backfill")
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--rest", type=float, default=20.0, help="seconds after the load, for the disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        scale = SCALES[options.scale]
        (folder / "flows.toml").write_text(flows())
        _, sources = make_database(folder, scale, 1)
        leader = Alternation(folder, scale.ads, options.turns, options.seconds, options.rate, options.rest)
        settings = load_settings(folder, os.environ).settings
        with running(folder, sources, settings, leader, leader.witness, flows=folder / "flows.toml"):
            report(leader)


def flows() -> str:
    text = FLOWS.read_text(encoding="utf-8")
    reference, field = 'pin = "pin_id -> pins" }', "[documents.ad.fields]\n"
    assert reference in text and field in text
    text = text.replace(reference, 'pin = "pin_id -> pins", fed = "id -> ad_scores" }', 1)
    text = text.replace(field, f'{field}fed_score = "fed.score"\nfed_at = "fed.computed_at"\n', 1)
    return text + FEED


QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}


def report(leader: Alternation) -> None:
    """Also below the p99: where a disk stalls now and then, for whoever writes, that is all that can be compared."""
    found: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    for turn in leader.turns:
        figures = {name: quantile(turn.latencies_ms, share) for name, share in QUANTILES.items()}
        found[turn.fills].append(figures)
        name, measured = "backfill" if turn.fills else "alone", len(turn.latencies_ms)
        shown = " ".join(f"{name} {value:.2f}" for name, value in figures.items())
        print(f"{name:<9}{measured:>6} of {turn.edits} edits in {turn.seconds:.1f} s  {shown}")
        print(f"{'':<9}p99 of stages {turn.p99_ms}", flush=True)
    for name in QUANTILES:
        shift = median(after[name] - before[name] for before, after in zip(found[False], found[True], strict=True))
        alone = median(one[name] for one in found[False])
        print(f"{name} alone {alone:.2f} ms; median shift {shift:+.2f} ms, {shift / alone:+.0%}")


if __name__ == "__main__":
    main()
