"""Which seed finds each planted rule first; `python -m tests.simulation.found_by` looks again, and writes it down.

A search of the seeds from 0 on finds a rule exactly if one of them does. So the tests try the one that is written down
first, and search them all only if it finds it no longer, because the simulator has changed since.
"""

import json
import os
import re
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.simulation.planted.rules import names, plant
from tests.simulation.runs import Result, run

WRITTEN = Path(__file__).with_name("found_by.json")
SEEDS, SEEDS_OF_A_RULE = 1_000, 200
"""Of a confusion of everyday; of a rule in the table of traces (F1 to F14, chain, N1 to N5). What is about documents is
looked for in runs about documents."""


def search(name: str, first: Iterable[int] = ()) -> Result | None:
    """The run that finds what is planted: of one of the seeds `first`, else of the first seed that does."""
    seeds = range(SEEDS_OF_A_RULE if re.match(r"[fn]\d+_|chain_", name) else SEEDS)
    with pytest.MonkeyPatch.context() as patch:
        plant(name, patch)
        for seed in (*(one for one in first if one in seeds), *seeds):
            result = run(seed, documents=bool(re.match(r"n\d_", name)))
            if result.violations:
                return result
    return None


def written() -> dict[str, int]:
    """Name -> seed."""
    found: dict[str, int] = json.loads(WRITTEN.read_text(encoding="utf-8"))
    return found


def main() -> None:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(names(), pool.map(_seed, names()), strict=True))
    seeds = {name: seed for name, seed in found.items() if seed is not None}
    WRITTEN.write_text(json.dumps(seeds, indent=1) + "\n", encoding="utf-8")
    if len(seeds) < len(found):
        sys.exit(f"no seed finds {', '.join(sorted(found.keys() - seeds.keys()))}")


def _seed(name: str) -> int | None:
    result = search(name)
    return None if result is None else result.seed


if __name__ == "__main__":
    main()
