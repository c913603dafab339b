"""Edits the sample database while it is being indexed, the same edits from the same seed.

As a process: `python -m ops.demo.editor --source FILE --rate 100 --seconds 15 --seed 1` prints one JSON line an edit.
"""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

import cyclopts
import msgspec

from ops.demo.edits import EDITS, Effect
from ops.demo.population import Population
from ops.demo.schema import connect
from proto.errors import SettingsError


class Edit(msgspec.Struct, frozen=True):
    """One committed source transaction.

    began_ms, committed_ms  wall clock just before BEGIN, just after COMMIT returned; ms since 1970
    ads           ids of the ads whose documents change, are new, or vanish
    tag           the matching number of a torn pair: the ad groups' new bid in micros
    """

    number: int
    kind: str
    began_ms: float
    committed_ms: float
    ads: list[int]
    tag: int | None = None


def weights() -> dict[str, int]:
    """The usual mix: kind of edit -> how many of a hundred."""
    return {kind: weight for kind, (_, weight) in EDITS.items()}


def edits(
    connection: sqlite3.Connection, random: Random, now_ms: Callable[[], float], mix: Mapping[str, int] | None = None
) -> Iterator[Edit]:
    """Edits without end, each committed when it is yielded; the caller decides when the next one comes.

    connection: from ops.demo.schema.connect. now_ms: wall clock, ms since 1970. mix: kind -> weight, by default
    the usual one.
    Raises SettingsError for a kind that does not exist.
    """
    mix = weights() if mix is None else mix
    if unknown := set(mix) - set(EDITS):
        raise SettingsError(f"there is no edit {min(unknown)!r}; there are: {', '.join(EDITS)}")
    population = Population(connection)
    kinds, shares = list(mix), list(mix.values())
    number = 0
    while True:
        number += 1
        kind = random.choices(kinds, shares)[0]
        change = partial(EDITS[kind][0], connection, population, random)
        began_ms = now_ms()
        effect = in_transaction(connection, change)
        yield Edit(number, kind, began_ms, now_ms(), effect.ads, effect.tag)


def in_transaction(connection: sqlite3.Connection, change: Callable[[], Effect]) -> Effect:
    """Runs `change` between BEGIN and COMMIT; an exception rolls it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        effect = change()
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return effect


def main(source: Path, rate: float = 100.0, seconds: float = 15.0, seed: int = 1, only: str = "") -> None:
    """Edits a sample database at a steady rate and prints each edit as one JSON line, flushed.

    Example: python -m ops.demo.editor --source ads.db --rate 100 --seconds 15 --seed 1 --only ad_bid,torn_pair

    Parameters
    ----------
    source: SQLite file made by the generator.
    rate: edits a second; a late edit is not skipped.
    seconds: how long.
    seed: the same seed on the same database makes the same edits.
    only: kinds of edits, separated by commas; empty for the usual mix.
    """
    if not source.exists():
        raise SettingsError(f"{source} does not exist; `adsindex demo` makes one")
    mix = dict.fromkeys(only.split(","), 1) if only else None
    endless = edits(connect(source), Random(seed), lambda: time.time() * 1000, mix)
    started = time.monotonic()
    for edit in islice(endless, round(rate * seconds)):
        sys.stdout.buffer.write(msgspec.json.encode(edit) + b"\n")
        sys.stdout.buffer.flush()
        time.sleep(max(started + edit.number / rate - time.monotonic(), 0.0))


if __name__ == "__main__":
    cyclopts.run(main)
