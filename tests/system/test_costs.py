"""What an edit costs, in counts: durable commits, reads of the store; and what an idle process costs."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from repo.lmdb.snapshot import LmdbSnapshot
from repo.lmdb.still import StillSnapshot
from tests.support.processes import Daemon, command
from tests.support.whole import Whole
from tests.system.club import FLOWS, club


def test_an_edit_costs_at_most_two_durable_commits(index: Whole, editor: sqlite3.Connection) -> None:
    index.turn()
    environment = index.process.store.environment
    for number in range(20):
        editor.execute("UPDATE players SET value = ? WHERE number = 1", (100 + number,))
        before = environment.commits
        published = sum(1 for _ in index.published())
        while sum(1 for _ in index.published()) == published:
            index.turn()
        assert environment.commits - before <= 2
        line = index.line("player", ["a", 1])
        assert line is not None and line["fields"]["value"] == 100 + number
        index.settle()


def test_reads_do_not_grow_with_the_documents_of_a_batch(
    index: Whole, editor: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def counted(method: Any) -> Any:

        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            return method(*arguments, **named)

        return call

    for kind in (LmdbSnapshot, StillSnapshot):  # a still one reads in its own way
        for name in ("read", "scan_prefixes", "scan"):
            if name in vars(kind):
                monkeypatch.setattr(kind, name, counted(vars(kind)[name]))

    def cost(documents: int) -> int:
        nonlocal calls
        rows = [("b", number, 1, None, number) for number in range(documents)]
        editor.execute("BEGIN")
        editor.execute("DELETE FROM players WHERE club = 'b'")
        editor.executemany("INSERT INTO players VALUES (?, ?, ?, ?, ?)", rows)
        editor.execute("COMMIT")
        published, calls = sum(1 for _ in index.published()), 0
        while sum(1 for _ in index.published()) == published:
            index.turn()
        found = calls
        index.settle()
        assert len(index.lines("player")) == 2 + documents
        return found

    cost(1)
    assert cost(200) <= cost(2) + 4


def test_an_idle_index_takes_less_than_one_percent_of_a_core(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    club(tmp_path / "club.db").close()
    (tmp_path / "flows.toml").write_text(FLOWS)
    source = ("--source", f"sqlite:///{tmp_path / 'club.db'}", "--flows", tmp_path / "flows.toml")
    daemon = Daemon(command("run", *source, "--data", tmp_path / "data"), tmp_path / "run.txt")
    try:
        daemon.says("live")
        shares = []
        for _ in range(8):  # the first may hold what follows the start
            before = cpu_s(daemon.process.pid)
            time.sleep(3.0)
            shares.append((cpu_s(daemon.process.pid) - before) / 3.0)
            if shares[-1] < 0.01:
                break
    finally:
        daemon.kill()
    with capsys.disabled():
        print(f"\n  idle `adsindex run`: {min(shares):.2%} of a core")
    assert min(shares) < 0.01


def cpu_s(pid: int) -> float:
    """Processor time that a process has taken, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
