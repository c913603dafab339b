"""Each script gives the output that stands in it, and another one when its rule is switched off."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import argus.build
from argus.build import Builder
from proto.record import BuildRecord
from repo.api import Transaction
from repo.system import BUILD, CONTENT
from tests.scenarios.stage import Stage, Worker

Off = Callable[[pytest.MonkeyPatch], None]


def any_snapshot_will_do(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Worker, "obeys", staticmethod(lambda still: False))


def any_snapshot_will_do_for_fan_outs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Worker, "obeys", staticmethod(lambda still: still))


def built_at_is_the_commit(patch: pytest.MonkeyPatch) -> None:
    def later(built_at: int, *rest: Any) -> BuildRecord:
        return BuildRecord(built_at + 1, *rest)  # what it would be, had nobody else committed

    patch.setattr(argus.build, "BuildRecord", later)


def nothing_is_checked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "check", lambda self, table, key, group: None)


def unchanged_builds_write_nothing(patch: pytest.MonkeyPatch) -> None:
    made = Builder._transaction

    def transaction(self: Builder, *arguments: Any) -> Transaction:
        result = made(self, *arguments)
        for cell in list(result.writes):
            if cell.group == BUILD and cell._replace(group=CONTENT) not in result.companions:
                del result.writes[cell]
        return result

    patch.setattr(Builder, "_transaction", transaction)


RULES: dict[str, Off] = {
    "n1_build_at_the_change": any_snapshot_will_do,
    "n2_fan_out_at_the_change": any_snapshot_will_do_for_fan_outs,
    "n3_built_at_is_the_snapshot": built_at_is_the_commit,
    "n4_read_for_conflict": nothing_is_checked,
    "n5_unchanged_builds_count": unchanged_builds_write_nothing,
}


def played(folder: Path, name: str) -> tuple[str, str]:
    """(script, what it gives)."""
    path = Path(__file__).with_name(f"{name}.txt")
    script = path.read_text()
    stage = Stage(folder)
    try:
        output = stage.run(script)
    finally:
        stage.close()
    if os.environ.get("ADSINDEX_REGENERATE"):
        path.write_text(output)
    return script, output


@pytest.mark.parametrize("name", RULES)
def test_a_scenario(tmp_path: Path, name: str) -> None:
    script, output = played(tmp_path, name)
    assert output == script


@pytest.mark.parametrize("name", RULES)
def test_it_needs_its_rule(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADSINDEX_REGENERATE", raising=False)
    RULES[name](monkeypatch)
    script, output = played(tmp_path, name)
    assert output != script


def test_every_script_is_run() -> None:
    assert {path.stem for path in Path(__file__).parent.glob("*.txt")} == set(RULES)
