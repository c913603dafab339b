"""Each script gives the output that stands in it, and another one when its rule is switched off.

A script has the name of what switches its rule off: tests/simulation/planted.
"""

import os
from pathlib import Path

import pytest

from tests.scenarios.oracle.stage import Stage
from tests.simulation.planted.rules import plant

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_scenario(path: Path) -> None:
    script = path.read_text()
    output = Stage().run(script)
    if os.environ.get("ADSINDEX_REGENERATE"):
        path.write_text(output)
    assert output == script


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_it_needs_its_rule(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(path.stem, monkeypatch)
    script = path.read_text()
    try:
        output = Stage().run(script)
    except AssertionError as error:
        output = str(error)  # a step that can't be taken any more
    assert output != script


def test_each_rule_of_the_table_has_a_script() -> None:
    rules = {path.stem.partition("_")[0] for path in SCRIPTS}
    assert rules >= {"f1", "f2", "f5", "f6", "f7", "f8", "f9", "f12", "f13", "chain"}
