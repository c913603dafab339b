"""How many documents a second Argus builds: `python -m tests.benchmarks.argus_build [--batch N] [--profile]`.

The ads application, all of whose ads get a new title in one source transaction after another; each batch of
notifications is one durable group, as in the engine. Prints microseconds of processor time a document, by part.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from argus.api import Reading
from argus.signals.port import Call, Finished
from argus.signals.threads import made
from ops.demo.generator import generate
from ops.demo.scale import SCALES
from ops.demo.schema import connect, create
from ops.demo.signal_values import says
from ops.engine.collector import seldom
from proto.flows.model import Signal
from proto.lane import Lane
from tests.support.argus_world import World, put

FLOWS = Path(__file__).parents[2] / "argus" / "ads" / "flows.toml"


class Timed:
    """Adds up the time that is spent in one function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.seconds = 0.0

    def __call__(self, *arguments: Any) -> Any:
        begin = time.process_time()
        try:
            return self._function(*arguments)
        finally:
            self.seconds += time.process_time() - begin


class Services:
    """A Caller whose calls end at once."""

    def __init__(self) -> None:
        self.signals: Mapping[str, Signal] = {}
        self._ended: list[Finished] = []
        self._said = says(1)

    def start(self, call: Call) -> None:
        said = {key: self._said(call.signal, key) for key in call.keys}
        answers = {key: found and Reading(found.values, found.version) for key, found in said.items()}
        self._ended.append(made(self.signals[call.signal], lambda keys: answers, call))

    def finished(self) -> list[Finished]:
        ended, self._ended = self._ended, []
        return ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world, ads = filled_world(Path(folder), options.documents)
        if options.profile:
            profile = cProfile.Profile()
            run(world, ads, options.batch, "warm")
            profile.enable()
        with seldom():
            for number in range(options.runs):
                print(run(world, ads, options.batch, f"run {number}"))
        if options.profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        world.close()


def filled_world(folder: Path, count: int) -> tuple[World, list[dict[str, Any]]]:
    """A world with the sample application's rows, all built; and `count` of its ads."""
    connection = connect(folder / "ads.db")
    create(connection)
    generate(connection, SCALES["j4"] if count > 2000 else SCALES["small"], Random(1))
    services = Services()
    world = World(folder / "data", FLOWS.read_text(), caller=services)
    services.signals = world.application.flows.signals
    ads: list[dict[str, Any]] = []
    for table in world.application.flows.tables.values():
        columns = [column.name for column in table.columns.values() if not column.writer]
        rows = [
            dict(zip(columns, row, strict=True))
            for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table.source_table}")
        ]
        if table.name == "ads":
            rows = ads = rows[:count]
        for start in range(0, len(rows), 10_000):
            world.commit(
                *(put(table.name, **row) for row in rows[start : start + 10_000]),
                kind="chunk",
                lane=Lane.LOW,
                first=True,
            )
    world.jobs.refresh("ad", 1)
    world.settle()
    while world.parts.pulls.tick():  # a rebuild asks ahead, and goes on when the answers are there
        world.jobs.look_again()
        world.settle()
    assert world.parts.builders["ad"].counts.built == len(ads)
    return world, ads


def run(world: World, ads: Sequence[dict[str, Any]], batch: int, mark: str) -> str:
    """Edits all ads, builds them batch by batch."""
    for part in parts(ads, batch):
        world.commit(*(put("ads", **{**ad, "title": f"{ad['title']} {mark}"}) for ad in part))
    items = world.items(Lane.HIGH)
    per_batch = max(1, batch // 256)  # a notification names up to 256 rows
    world.engine.commit = commit = Timed(type(world.engine).commit.__get__(world.engine))  # type: ignore[method-assign]
    builder = world.parts.builders["ad"]
    built, begin, processing = builder.counts.built, time.process_time(), 0.0
    for start in range(0, len(items), per_batch):
        with world.log.group():
            entered = time.process_time()
            world.argus.process(items[start : start + per_batch])
            processing += time.process_time() - entered
    total, count = time.process_time() - begin, builder.counts.built - built
    assert count == len(ads), f"{count} of {len(ads)} were built"
    own, puts, sync = processing - commit.seconds, commit.seconds, total - processing
    share = 1e6 / count
    return (
        f"{mark}: dispatch and build {own * share:5.1f} us a document, repo.commit {puts * share:5.1f}, "
        f"end of the group {sync * share:5.1f}; {count / total:,.0f} documents a second of processor time"
    )


def parts(ads: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    return (ads[start : start + size] for start in range(0, len(ads), size))


if __name__ == "__main__":
    main()
