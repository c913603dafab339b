"""`adsindex backfill` as a process: killed again and again, beside a process that is killed, too."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from gateway.backfill import BackfillLog
from ops.opened import opened
from tests.support.processes import PATIENCE_S, Daemon, adsindex, command
from tests.system.feeds import FED

ROWS, NAN_AT = 6_000, 2_000


@pytest.fixture
def daemons() -> Iterator[list[Daemon]]:
    started: list[Daemon] = []
    yield started
    for daemon in started:
        daemon.kill()


def test_kill_9_of_both_loses_and_repeats_nothing(
    tmp_path: Path, editor: sqlite3.Connection, daemons: list[Daemon]
) -> None:
    (tmp_path / "flows.toml").write_text(FED)
    editor.executemany("INSERT OR REPLACE INTO players VALUES ('a', ?, 1, ?, 5)", [(at, f"t{at}") for at in range(99)])
    data, random = tmp_path / "data", Random(11)
    numbers = list(range(ROWS))
    columns = {"club": ["a"] * ROWS, "n": numbers, "score": [at / 2 for at in numbers], "trend": ["[1]"] * ROWS}
    columns["score"][NAN_AT] = float("nan")
    parquet.write_table(arrow.table(columns), tmp_path / "scores.parquet", row_group_size=5_000)
    run = ("run", "--source", f"sqlite:///{tmp_path / 'club.db'}", "--data", data, "--flows", tmp_path / "flows.toml")
    backfill = ("backfill", tmp_path / "scores.parquet", "--table", "scores", "--map", "n=number", "--data", data)

    def start(name: str, *arguments: object) -> Daemon:
        daemons.append(Daemon(command(*arguments), tmp_path / name))
        return daemons[-1]

    running = start("run.txt", *run)
    running.says("live")
    filling = start("backfill.txt", *backfill, "--json")
    for number in range(3):
        reaches(data, (number + 1) * ROWS // 5 + random.randint(0, ROWS // 10))
        filling.kill()
        if number % 2:
            running.kill()
            running = start(f"run{number}.txt", *run)
        if number == 2:
            running.says("live")  # the last one only counts what is written where somebody applies it
        filling = start("backfill.txt", *backfill, "--json", "--resume")
    assert filling.process.wait(PATIENCE_S) in (0, 1), filling.text
    assert adsindex("wait", "--data", data, "--timeout", PATIENCE_S / 2).code == 0
    *rejected, last = [json.loads(line) for line in (data / "backfills" / "main.scores.jsonl").open()]
    counts = {name: last["summary"][name] for name in ("read", "sent", "written", "unchanged", "older", "rejected")}
    wanted = {"read": ROWS, "sent": ROWS - 1, "written": ROWS - 1, "unchanged": 0, "older": 0, "rejected": 1}
    assert counts == wanted and last["summary"]["resumed_at"] > ROWS // 2
    assert [(one["row"], one["column"]) for one in rejected] == [(NAN_AT + 1, "score")]
    found = {line["id"][1]: line["fields"]["score"] for line in adsindex("docs", "--json", "--data", data).jsonl}
    assert found == {at: at / 2 for at in range(99)}


def reaches(data: Path, row: int) -> None:
    """Returns once so many rows are read."""
    deadline = time.monotonic() + PATIENCE_S
    with opened(data) as folder:
        kept = BackfillLog(folder.log, "main", "scores")
        while (progress := kept.load()) is None or progress.read < row:
            assert time.monotonic() < deadline, f"never came to row {row}: {progress}"
            time.sleep(0.002)
