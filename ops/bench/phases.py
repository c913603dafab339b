"""The phases of job J4: each starts something in the source and knows when all of it is servable."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple, Protocol

import msgspec

from ops.bench.figures import spread
from ops.demo import bulk
from ops.demo.editor import Edit, in_transaction
from ops.demo.edits import Effect
from ops.demo.scale import Scale
from ops.demo.witness import TRIGGER_MS, latencies_ms
from proto.errors import UnavailableError
from proto.ports.clock import Clock

SINGLE_ROWS = "ad_bid,ad_title,ad_status"
_DRAIN_MS = 1000.0
_QUIET_MS = 300.0
_GIVE_UP_MS = 30_000.0
_SMALL_FANOUTS = 5


class Seen(NamedTuple):
    """A version of a document that has become servable. commit_ms: of the newest of its changes."""

    id: int
    commit_ms: float
    servable_ms: float


class Phase(Protocol):
    """start: in the loop's thread. seen: for each published version. done: everything it waits for was seen."""

    title: str

    def start(self) -> None: ...

    def seen(self, version: Seen) -> None: ...

    def done(self) -> bool: ...


class Bulk:
    """One transaction, and the documents that must follow. Figures: ms from COMMIT until the last was servable.

    figure: under which name; those of equal name are runs of the same.
    """

    def __init__(
        self, title: str, figure: str, connection: sqlite3.Connection, change: Callable[[], Effect], clock: Clock
    ) -> None:
        self.title, self.figure = title, figure
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

    def seen(self, version: Seen) -> None:
        if version.commit_ms >= self._began_ms - TRIGGER_MS:
            self._waiting.discard(version.id)
            self._last_ms = version.servable_ms

    def done(self) -> bool:
        """Raises UnavailableError when for long none of those came that are still missing."""
        if self._waiting and self._clock.now_ms() - max(self._committed_ms, self._last_ms) > _GIVE_UP_MS:
            raise UnavailableError(f"phase {self.title}: {len(self._waiting):,} documents never came")
        return not self._waiting

    def elapsed_ms(self) -> float:
        return self._last_ms - self._committed_ms


class Trickle:
    """Edits by another process, at a steady rate. kinds: of edits, by their names; "": the usual mix.

    beside: called often while it goes on.
    """

    def __init__(
        self, title: str, folder: Path, rate: float, seconds: float, seed: int, clock: Clock, kinds: str = SINGLE_ROWS,
        beside: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.title = title
        self._log = folder / f"edits-{title.partition(' ')[0]}-{seed}.jsonl"
        self._options = ["--source", folder / "ads.db", "--rate", rate, "--seconds", seconds, "--seed", seed]
        self._options += ["--only", kinds] if kinds else []
        self._clock, self._beside = clock, beside
        self._editor: subprocess.Popen[bytes] | None = None
        self._ended_ms = self._look_ms = 0.0
        self._seen: list[Seen] = []
        self._counted = -1

    def start(self) -> None:
        command = [sys.executable, "-m", "ops.demo.editor", *map(str, self._options)]
        with self._log.open("wb") as out:
            self._editor = subprocess.Popen(command, stdout=out)

    def seen(self, version: Seen) -> None:
        self._seen.append(version)

    def done(self) -> bool:
        """Once the editor has ended and all it did is servable, but no later than a second after: what takes longer is
        missing from the figures, and counted as lost."""
        if self.running():
            self._beside()
            return False
        now_ms = self._clock.monotonic_ms()
        self._ended_ms = self._ended_ms or now_ms
        if now_ms < self._look_ms:
            return False
        self._look_ms = now_ms + _QUIET_MS
        quiet, self._counted = len(self._seen) == self._counted, len(self._seen)
        wanted = sum(1 for edit in self.edits() if edit.ads)
        complete = quiet and len(latencies_ms(self._seen, self.edits())) == wanted
        return complete or now_ms - self._ended_ms > _DRAIN_MS

    def running(self) -> bool:
        """Whether the editor still edits."""
        return self._editor is not None and self._editor.poll() is None

    def edits(self) -> list[Edit]:
        """What it has committed."""
        return [msgspec.json.decode(line, type=Edit) for line in self._log.read_bytes().splitlines()]

    def latency_ms(self) -> dict[str, float]:
        """p50, p99, max."""
        return spread([latency for _, latency in latencies_ms(self._seen, self.edits())])

    def stop(self) -> None:
        """Ends the editor, if it still runs."""
        if self._editor is not None and self._editor.poll() is None:
            self._editor.terminate()
            self._editor.wait()


def burst(connection: sqlite3.Connection, clock: Clock, random: Random, count: int) -> Bulk:
    """Phase c."""
    return Bulk(f"c burst of {count:,}", "burst", connection, lambda: bulk.burst(connection, random, count), clock)


def fanouts(connection: sqlite3.Connection, clock: Clock, random: Random, scale: Scale) -> Iterator[Bulk]:
    """Phase d: one row that 50, 250, all documents depend on; the small ones several times."""
    for turn in range(_SMALL_FANOUTS):
        mark = f"{random.getrandbits(32):08x} {turn}"
        yield Bulk(
            "d fan-out of a campaign", str(scale.hot_campaign_ads), connection,
            lambda mark=mark: bulk.rename_campaign(connection, mark), clock,  # type: ignore[misc]
        )  # fmt: skip
        yield Bulk(
            "d fan-out of an advertiser", str(scale.hot_advertiser_ads), connection,
            lambda mark=mark: bulk.rename_advertiser(connection, mark), clock,  # type: ignore[misc]
        )  # fmt: skip
    mark = f"{random.getrandbits(32):08x}"
    change = lambda: bulk.rename_marketplace(connection, mark)  # noqa: E731
    yield Bulk("d fan-out to all", str(scale.ads), connection, change, clock)


def reinsertion(connection: sqlite3.Connection, clock: Clock, random: Random, count: int) -> Iterator[Bulk]:
    """Phase e: ads are deleted, and come back under their ids."""
    taken = bulk.choose_ads(connection, random, count)
    yield Bulk("e delete", "delete", connection, lambda: bulk.delete_ads(connection, taken), clock)
    yield Bulk("e re-insert", "insert", connection, lambda: bulk.insert_ads(connection, taken), clock)
