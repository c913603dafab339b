"""Each rule that is switched off is found by a random search, within the seeds that CI runs."""

import pytest

from tests.simulation.planted.rules import names, plant
from tests.simulation.runs import run

SEEDS = 200


@pytest.mark.parametrize("name", names())
def test_a_search_finds_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(name, monkeypatch)
    for seed in range(SEEDS):
        result = run(seed)
        if result.violations:
            print(f"{name}: seed {seed}: {result.violations[0]}")
            return
    pytest.fail(f"none of {SEEDS} seeds needs it")
