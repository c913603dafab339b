"""Runs seeds in several processes: `python -m tests.simulation.simulate --seeds 1000 --from 0`.

With one seed it prints the trace, whatever came out. --planted NAME: with a rule switched off (planted/).
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import NamedTuple

import pytest

from tests.simulation.planted.rules import plant
from tests.simulation.runs import EVENTS_TOLD, run

CHUNK = 50
FAILURES_MAX = 5


class Chunk(NamedTuple):
    """What came out of some seeds. failures: seed -> its story."""

    seeds: int
    attempts: int
    events: int
    failures: dict[int, str]


def chunk(first: int, count: int, planted: str | None, documents: bool) -> Chunk:
    """For a process of its own."""
    attempts, events, failures = 0, 0, dict[int, str]()
    with pytest.MonkeyPatch.context() as patch:
        if planted:
            plant(planted, patch)
        for seed in range(first, first + count):
            result = run(seed, documents)
            attempts += result.attempts
            events += len(result.trace)
            if result.violations:
                failures[seed] = result.told()
    return Chunk(count, attempts, events, failures)


def chunks(first: int, seeds: int, planted: str | None, documents: bool) -> Iterator[Chunk]:
    """As they come; a few are always waiting, so that an end is an end."""
    starts = iter(range(first, first + seeds, CHUNK))
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        submit = lambda at: pool.submit(chunk, at, min(CHUNK, first + seeds - at), planted, documents)  # noqa: E731
        waiting = [submit(at) for at in islice(starts, 2 * workers)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [submit(at) for at in islice(starts, 1)]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=1000)
    arguments.add_argument("--from", type=int, default=0, dest="first")
    arguments.add_argument("--planted", default=None)
    arguments.add_argument("--events", type=int, default=EVENTS_TOLD, help="of a trace")
    arguments.add_argument("--actor", action="append", default=[], help="whose events only (several times)")
    arguments.add_argument("--documents", action="store_true", help="only runs about documents")
    given = arguments.parse_args()
    if given.seeds == 1:
        return _one(given.first, given.planted, given.documents, given.events, given.actor)
    return _many(given.first, given.seeds, given.planted, given.documents)


def _one(seed: int, planted: str | None, documents: bool, events: int, actors: list[str]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        if planted:
            plant(planted, patch)
        result = run(seed, documents)
    print(result.told(events, actors))
    return 1 if result.violations else 0


def _many(first: int, seeds: int, planted: str | None, documents: bool) -> int:
    began, done, attempts, events = time.monotonic(), 0, 0, 0
    failures: dict[int, str] = {}
    for some in chunks(first, seeds, planted, documents):
        done += some.seeds
        attempts += some.attempts
        events += some.events
        failures.update(some.failures)
        seconds = time.monotonic() - began
        print(
            f"\r{done} of {seeds} seeds, {attempts} transactions, {events} events, {len(failures)} failed, "
            f"{done / seconds:.0f} seeds/s",
            end="",
            flush=True,
        )
        if len(failures) >= FAILURES_MAX:
            break
    print()
    for story in list(failures.values())[:1]:
        print(story)
    if failures:
        print(f"failed: {', '.join(map(str, failures))}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
