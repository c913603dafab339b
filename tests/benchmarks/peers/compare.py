"""Job J4 here, in Pathway and in Flink, on the same rows in the same run, alternating: `make bench`.

The first round of J4 runs every phase, everything else those that the peers have, too. Prints minimum, median and
maximum of all rounds, and ratios of medians; nothing asserts on them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import msgspec

from ops.bench.figures import Figures
from ops.bench.job import BURST
from ops.cli import render
from ops.cli.bench_report import print_figures
from ops.demo.sample import make_database
from ops.demo.scale import SCALES
from ops.demo.schema import connect
from tests.benchmarks.peers.environment import PEERS, python_of

OURS = {"adsindex, same job": "lean", "adsindex, J4": "j4", "adsindex, application": "application"}
"""Who -> the job of `adsindex bench`."""
FULL = "adsindex, J4"
TIMEOUT_S = 900
RATE = 100.0
NAMES = {
    "load_docs_per_s": "cold load, documents a second",
    "burst_docs_per_s": f"burst of {BURST:,}, documents a second",
    "p50": "one edit -> document, p50, ms",
    "p99": "one edit -> document, p99, ms",
}
LEAVES_OUT = {
    "adsindex, same job": "lists, computed fields, signals. SQLite is captured; rows and documents are durable, with "
    "history and lineage; source transactions stay whole; 50 plain fields of 4 tables",
    "adsindex, J4": "lists. 100 fields of 5 tables, computed ones and a signal among them",
    "adsindex, application": "nothing. 134 fields of 16 tables, lists, computed ones and 4 signals among them",
    "pathway": "capture from a database, durability, history, whole source transactions (a burst comes out in pieces); "
    "50 plain fields of 4 tables",
    "flink": "capture from a database, single edits (its sinks take effect with checkpoints, seconds apart, so it has "
    "no p99 of one), durability (state in memory), history; 50 plain fields of 4 tables",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="j4")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trickle-seconds", type=float, default=15.0)
    parser.add_argument("--phases", default="abcdefgh", help="of J4 in the first round")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    options = parser.parse_args()
    pythons = {peer: python_of(peer) for peer in ("pathway", "flink")}
    found: dict[str, list[dict[str, Any]]] = {who: [] for who in (*OURS, "pathway", "flink")}
    for number in range(1, options.rounds + 1):
        phases = options.phases if number == 1 else "abc"
        for who, figures in round_of(number, options.scale, options.trickle_seconds, phases, pythons):
            found[who].append(figures)
            print(f"round {number}, {who}: {short(figures)}", file=sys.stderr, flush=True)
    print_figures(msgspec.convert(found[FULL][0], Figures))
    print()
    print_comparison(found)
    for who, text in LEAVES_OUT.items():
        render.print_line(f"{who} leaves out: {text}" if found[who] else f"{who} was not run: {pythons[who]}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def round_of(
    number: int, scale: str, seconds: float, phases: str, pythons: dict[str, Path | str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each of them once, on rows made from the number of the round."""
    with tempfile.TemporaryDirectory(prefix="adsindex-peers-") as name:
        folder = Path(name)
        ours = folder / "ours.json"
        options = ["--scale", scale, "--trickle-seconds", str(seconds), "--seed", str(number), "--json", str(ours)]
        for who, job in OURS.items():
            of = ["--job", job, "--phases", phases if who == FULL else "abc"]
            said = run([sys.executable, "-m", "ops", "bench", *of, *options], who)
            if said is not None:
                yield who, json.loads(ours.read_text())
        database, _ = make_database(folder, SCALES[scale], number)
        write_edits(database, folder / "edits.json", number, round(RATE * min(seconds, 30.0)))
        for peer, arguments in {"pathway": [str(folder / "edits.json")], "flink": []}.items():
            python = pythons[peer]
            if isinstance(python, Path):
                said = run([str(python), str(PEERS / f"{peer}_join.py"), str(database), *arguments], peer)
                if said is not None:
                    yield peer, json.loads(said.splitlines()[-1])


def run(command: list[str], who: str) -> str | None:
    """What it prints; None, and why on standard error, when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        print(f"{who} failed: {(done.stderr or done.stdout)[-2000:]}", file=sys.stderr)
        return None
    return done.stdout


def write_edits(database: Path, file: Path, seed: int, trickle: int) -> None:
    """The burst and the single edits: other bids for ads."""
    random = Random(seed)
    with connect(database) as connection:
        ads = [row[0] for row in connection.execute("SELECT id FROM ads ORDER BY id")]
    burst = [(ad, random.randrange(1, 5_000_000)) for ad in random.sample(ads, min(BURST, len(ads)))]
    single = [(random.choice(ads), random.randrange(1, 5_000_000)) for _ in range(trickle)]
    file.write_text(json.dumps({"burst": burst, "trickle": single, "rate": RATE}))


def print_comparison(found: dict[str, list[dict[str, Any]]]) -> None:
    """A row a figure and program; ratios are those of medians."""
    rows = []
    for figure, label in NAMES.items():
        fast = figure.endswith("docs_per_s")
        for who, rounds in found.items():
            theirs = values(rounds, figure)
            if theirs:
                shown = [f"{value:,.{0 if fast else 2}f}" for value in (min(theirs), median(theirs), max(theirs))]
                rows.append(
                    [
                        label if who == next(iter(OURS)) else "",
                        who,
                        *shown,
                        *ratios(found, figure, median(theirs), fast),
                    ]
                )
    head = ["", "", "min", "median", "max", *(f"{job}: faster by" for job in OURS.values())]
    render.print_table(head, rows, right=[2, 3, 4, 5, 6, 7])


def ratios(found: dict[str, list[dict[str, Any]]], figure: str, theirs: float, fast: bool) -> list[str]:
    """How much faster each of our jobs is, above 1 when they are."""
    ours = [values(found[who], figure) for who in OURS]
    return [f"{median(one) / theirs if fast else theirs / median(one):.2f}" if one else "" for one in ours]


def values(rounds: list[dict[str, Any]], figure: str) -> list[float]:
    """Of all rounds that have it."""
    of = [one.get("trickle_ms") or {} if figure in ("p50", "p99") else one for one in rounds]
    return [one[figure] for one in of if one.get(figure) is not None]


def short(figures: dict[str, Any]) -> str:
    """One line."""
    return ", ".join(f"{figure} {one:,.4g}" for figure in NAMES for one in values([figures], figure))


if __name__ == "__main__":
    main()
