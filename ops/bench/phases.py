"""The phases of job J4: each starts something in the source and knows when all of it is servable."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Protocol

import msgspec

from ops.demo import bulk
from ops.demo.editor import Edit, in_transaction
from ops.demo.edits import Effect
from ops.demo.witness import TRIGGER_MS, Published, quantile
from proto.ports.clock import Clock

TRICKLE_KINDS = "ad_bid,ad_title,ad_status"
DRAIN_MS = 1000.0


class Phase(Protocol):
    """start: in the loop's thread. seen: for each published document. done: everything it waits for was seen."""

    name: str

    def start(self) -> None: ...

    def seen(self, published: Published) -> None: ...

    def done(self) -> bool: ...


class Fanout:
    """One transaction, and the documents that must follow. Figures: ms from COMMIT until the last was servable."""

    def __init__(self, name: str, connection: sqlite3.Connection, change: Callable[[], Effect], clock: Clock) -> None:
        self.name = name
        self._connection, self._change, self._clock = connection, change, clock
        self._waiting: set[int] = set()
        self._began_ms = self._committed_ms = self._last_ms = 0.0
        self.documents = 0

    def start(self) -> None:
        self._began_ms = self._clock.now_ms()
        effect = in_transaction(self._connection, self._change)
        self._committed_ms = self._clock.now_ms()
        self._waiting = set(effect.ads)
        self.documents = len(self._waiting)

    def seen(self, published: Published) -> None:
        if published.commit_ms >= self._began_ms - TRIGGER_MS:
            self._waiting.discard(published.id)
            self._last_ms = published.servable_ms

    def done(self) -> bool:
        return not self._waiting

    def elapsed_ms(self) -> float:
        return self._last_ms - self._committed_ms


class Trickle:
    """Single-row edits by another process, at a steady rate."""

    name = "b"

    def __init__(self, database: Path, log: Path, rate: float, seconds: float, clock: Clock) -> None:
        self._database, self._log, self._rate, self._seconds, self._clock = database, log, rate, seconds, clock
        self._editor: subprocess.Popen[bytes] | None = None
        self._ended_ms = 0.0

    def start(self) -> None:
        options = ["--source", str(self._database), "--rate", str(self._rate), "--seconds", str(self._seconds)]
        command = [sys.executable, "-m", "ops.demo.editor", *options, "--only", TRICKLE_KINDS]
        with self._log.open("wb") as out:
            self._editor = subprocess.Popen(command, stdout=out)

    def seen(self, published: Published) -> None: ...

    def done(self) -> bool:
        """A second after the editor has ended: what takes longer is missing from the figures, and counted as lost."""
        if self._editor is not None and self._editor.poll() is not None:
            self._ended_ms = self._ended_ms or self._clock.monotonic_ms()
        return bool(self._ended_ms) and self._clock.monotonic_ms() - self._ended_ms > DRAIN_MS

    def edits(self) -> list[Edit]:
        return [msgspec.json.decode(line, type=Edit) for line in self._log.read_bytes().splitlines()]

    def stop(self) -> None:
        if self._editor is not None and self._editor.poll() is None:
            self._editor.terminate()
            self._editor.wait()


def fanouts(connection: sqlite3.Connection, clock: Clock, random: Random, wanted: str, burst: int) -> Iterator[Fanout]:
    """Phases c and d: the burst, then one row that 50, 250, all documents depend on; the small ones several times."""
    if "c" in wanted:
        yield Fanout("burst", connection, lambda: bulk.burst(connection, random, burst), clock)
    if "d" in wanted:
        for turn in range(5):
            mark = f"{random.getrandbits(32):08x} {turn}"
            yield Fanout("50", connection, lambda mark=mark: bulk.rename_campaign(connection, mark), clock)  # type: ignore[misc]
            yield Fanout("250", connection, lambda mark=mark: bulk.rename_advertiser(connection, mark), clock)  # type: ignore[misc]
        mark = f"{random.getrandbits(32):08x}"
        yield Fanout("all", connection, lambda: bulk.rename_marketplace(connection, mark), clock)


def spread(values: list[float]) -> dict[str, float]:
    """p50, p99, max; ms."""
    return {name: round(quantile(values, share), 3) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}
