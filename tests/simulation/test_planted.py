"""Each rule that is switched off is found by a random search, within the seeds that CI runs."""

import re

import pytest

from tests.simulation.planted.rules import names, plant
from tests.simulation.runs import run

BROKEN = re.compile(r"(Type|Attribute|Name|Key|Index)Error")
SEEDS, SEEDS_OF_A_RULE = 1_000, 200
"""Of a confusion of everyday; of a rule in the table of traces (F1 to F14, chain, N1 to N5). What is about documents is
looked for in runs about documents."""


@pytest.mark.parametrize("name", names())
def test_a_search_finds_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(name, monkeypatch)
    seeds = SEEDS_OF_A_RULE if re.match(r"[fn]\d+_|chain_", name) else SEEDS
    for seed in range(seeds):
        result = run(seed, documents=bool(re.match(r"n\d_", name)))
        if result.violations:
            assert not BROKEN.match(result.violations[0]), "the wrong twin does not fit the product any more"
            print(f"{name}: seed {seed}: {result.violations[0]}")
            return
    pytest.fail(f"none of {seeds} seeds needs it")
