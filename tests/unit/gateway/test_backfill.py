"""A backfill, page by page: what is in the log, what is in the report, and where it goes on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.backfill import Backfill, BackfillLog, BackfillProgress, FileMark, Remark
from gateway.capture.file.jsonl import JsonlFile
from gateway.capture.file.port import RowFile
from gateway.feed import RowCheck
from gateway.settings import GatewaySettings
from ops.brokers.memory import MemoryLog
from proto.errors import SettingsError, UnavailableError
from proto.events import Unit, decode_unit
from tests.support.source import StillClock, table

TABLE = table("scores", {"id": "int", "score": "float"}, feed=True, source_table="")
SETTINGS = GatewaySettings(backfill_page_rows=3, feed_unit_rows_max=2)


class Kept:
    """A report in memory, by where each remark begins."""

    def __init__(self) -> None:
        self.lines: list[Remark] = []

    def write(self, at: int, remarks: Sequence[Remark]) -> int:
        self.lines[at:] = remarks
        return len(self.lines)


class World:
    """Files, a log, a report; each `backfill` is another process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.report = folder, MemoryLog(), Kept()

    def file(self, name: str, *lines: Any, version: int = 7) -> FileMark:
        path = self.folder / name
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        opened = JsonlFile(path)
        opened.close()
        return FileMark(str(path), opened.fingerprint, version, opened.size)

    def backfill(self, progress: BackfillProgress, preview: Any = None) -> Backfill:
        return Backfill(
            self.log, "main", "scores", lambda file: RowCheck("main", TABLE, progress.columns), self.open, self.report,
            SETTINGS, StillClock(), progress, preview,
        )  # fmt: skip

    def open(self, path: str) -> RowFile:
        return JsonlFile(Path(path))

    def units(self) -> list[Unit]:
        partition = self.log.partition_of("updates.low", "feed:main:scores")
        return [decode_unit(message.value) for message in self.log.read("updates.low", partition, 0, 1000)]

    def stored(self) -> BackfillProgress | None:
        return BackfillLog(self.log, "main", "scores").load()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def rows(*ids: int) -> list[dict[str, float]]:
    return [{"id": at, "score": at / 2} for at in ids]


def run(backfill: Backfill) -> BackfillProgress:
    while backfill.step():
        pass
    return backfill.progress


def test_files_one_after_another(world: World) -> None:
    marks = [world.file("a", *rows(1, 2, 3, 4)), world.file("b", "{", *rows(5, 1), version=9)]
    progress = run(world.backfill(BackfillProgress("j", marks)))
    assert (progress.read, progress.sent, progress.rejected, progress.done, progress.share) == (7, 6, 1, True, 1.0)
    assert world.stored() == progress
    shown = [(unit.kind, unit.position, unit.job, unit.row, unit.tables[0].rows) for unit in world.units()]
    assert shown == [
        ("backfill", 7, "j", 0, [(1, 0.5), (2, 1.0)]),
        ("backfill", 7, "j", 2, [(3, 1.5)]),
        ("backfill", 7, "j", 3, [(4, 2.0)]),
        ("backfill", 9, "j", 4, [(5, 2.5), (1, 0.5)]),
    ]
    assert [(Path(one.file).name, one.row) for one in world.report.lines] == [("b", 1)]


def test_a_key_that_comes_again_is_told_and_the_later_row_wins(world: World) -> None:
    mark = world.file("a", *rows(1, 2), {"id": 1, "score": 9.0})
    progress = run(world.backfill(BackfillProgress("j", [mark])))
    assert (progress.sent, progress.rejected, progress.duplicates) == (3, 0, 1)
    assert [(one.row, one.rejected) for one in world.report.lines] == [(3, False)]
    assert [row for unit in world.units() for row in unit.tables[0].rows][-1] == (1, 9.0)


@pytest.mark.parametrize("steps", range(7))
def test_killed_after_any_page_it_goes_on_exactly_there(world: World, steps: int) -> None:
    lines = [*rows(1, 2, 3, 4), "{", {"id": "x", "score": 1}, *rows(5, 6, 7, 8, 9), {"id": 1}]
    marks = [world.file("a", *lines), world.file("b", *rows(10))]
    killed = world.backfill(BackfillProgress("j", marks))
    for _ in range(steps):
        killed.step()
    world.report.lines.append(Remark("of a page that was lost", 0, "", ""))
    progress = run(world.backfill(world.stored() or BackfillProgress("j", marks)))
    assert [row[0] for unit in world.units() for row in unit.tables[0].rows] == list(range(1, 11))
    assert [unit.row for unit in world.units()] == sorted({unit.row for unit in world.units()})
    assert (progress.read, progress.sent, progress.rejected) == (13, 10, 3)
    assert [one.row for one in world.report.lines if one.file.endswith("a")] == [5, 6, 12]


def test_a_log_that_takes_nothing_gets_the_same_page_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    backfill = world.backfill(BackfillProgress("j", [world.file("a", *rows(1, 2, 3, 4), "{")]))
    append, failures = world.log.append, iter([True, False, True])

    def full(*arguments: Any) -> int:
        if next(failures, False):
            raise UnavailableError("the disk is full")
        return append(*arguments)

    monkeypatch.setattr(world.log, "append", full)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            backfill.step()
    progress = run(backfill)
    assert [row[0] for unit in world.units() for row in unit.tables[0].rows] == [1, 2, 3, 4]
    assert (progress.sent, len(world.report.lines)) == (4, 1)


def test_a_file_that_changes_while_it_is_read_stops_it(world: World) -> None:
    backfill = world.backfill(BackfillProgress("j", [world.file("a", *rows(1, 2, 3, 4, 5))]))
    backfill.step()
    with (world.folder / "a").open("a") as file:
        file.write('{"id": 6, "score": 1}\n')
    with pytest.raises(SettingsError, match="was changed while it was read; 3 rows are sent"):
        backfill.step()
    assert [row[0] for unit in world.units() for row in unit.tables[0].rows] == [1, 2, 3]
    with pytest.raises(SettingsError, match="was changed since this backfill began; begin again, without --resume"):
        world.backfill(world.stored() or backfill.progress).step()


def test_a_dry_run_sends_nothing(world: World) -> None:
    seen: list[Unit] = []
    mark = world.file("a", *rows(1, 2, 3, 4), "{")
    progress = run(world.backfill(BackfillProgress("j", [mark]), seen.extend))
    assert (progress.sent, progress.rejected, sum(len(unit.tables[0].rows) for unit in seen)) == (4, 1, 4)
    assert world.units() == [] and world.stored() is None
