"""Each script gives the output that stands in it, and another one when its rule is switched off."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import argus.build
from proto.record import BuildRecord
from repo.api import Transaction
from repo.oracle.port import TIMESTAMP_STEP
from tests.scenarios.stage import Stage, Worker, hbase_twin
from tests.simulation.planted.n5_unchanged_builds_count import leave_unchanged_builds_out

Off = Callable[[pytest.MonkeyPatch, str], None]


def any_snapshot_will_do(patch: pytest.MonkeyPatch, engine: str) -> None:
    patch.setattr(Worker, "obeys", staticmethod(lambda still: False))


def any_snapshot_will_do_for_fan_outs(patch: pytest.MonkeyPatch, engine: str) -> None:
    patch.setattr(Worker, "obeys", staticmethod(lambda still: still))


def built_at_is_the_commit(patch: pytest.MonkeyPatch, engine: str) -> None:
    def later(built_at: int, *rest: Any) -> BuildRecord:
        return BuildRecord(built_at + UNTIL_COMMITTED[engine], *rest)  # had nobody else committed

    patch.setattr(argus.build, "BuildRecord", later)


def nothing_is_checked(patch: pytest.MonkeyPatch, engine: str) -> None:
    patch.setattr(Transaction, "check", lambda self, table, key, group: None)


def unchanged_builds_write_nothing(patch: pytest.MonkeyPatch, engine: str) -> None:
    leave_unchanged_builds_out(patch)


UNTIL_COMMITTED = {"lmdb": 1, "hbase-twin": 5 * TIMESTAMP_STEP}
RULES: dict[str, Off] = {
    "n1_build_at_the_change": any_snapshot_will_do,
    "n2_fan_out_at_the_change": any_snapshot_will_do_for_fan_outs,
    "n3_built_at_is_the_snapshot": built_at_is_the_commit,
    "n4_read_for_conflict": nothing_is_checked,
    "n5_unchanged_builds_count": unchanged_builds_write_nothing,
}


ENGINES: dict[str, Callable[[], Any]] = {"lmdb": lambda: None, "hbase-twin": hbase_twin}


def played(folder: Path, name: str, engine: str) -> tuple[str, str]:
    """(script, what it gives)."""
    path = Path(__file__).with_name(f"{name}.txt")
    script = path.read_text()
    stage = Stage(folder, ENGINES[engine]())
    try:
        output = stage.run(script)
    finally:
        stage.close()
    if os.environ.get("ADSINDEX_REGENERATE"):
        path.write_text(output)
    return script, output


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RULES)
def test_a_scenario(tmp_path: Path, name: str, engine: str) -> None:
    script, output = played(tmp_path, name, engine)
    assert output == script


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", RULES)
def test_it_needs_its_rule(tmp_path: Path, name: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADSINDEX_REGENERATE", raising=False)
    RULES[name](monkeypatch, engine)
    script, output = played(tmp_path, name, engine)
    assert output != script


def test_every_script_is_run() -> None:
    assert {path.stem for path in Path(__file__).parent.glob("*.txt")} == set(RULES)
