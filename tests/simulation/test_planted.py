"""Each rule that is switched off is found by a random search, within the seeds that CI runs."""

import re

import pytest

from tests.simulation.found_by import search, written
from tests.simulation.planted.rules import names

BROKEN = re.compile(r"(Type|Attribute|Name|Key|Index)Error")


@pytest.mark.parametrize("name", names())
def test_a_search_finds_it(name: str) -> None:
    result = search(name, first=[written()[name]] if name in written() else [])
    assert result is not None, "no seed needs it"
    assert not BROKEN.match(result.violations[0]), "the wrong twin does not fit the product any more"
    print(f"{name}: seed {result.seed}: {result.violations[0]}")
