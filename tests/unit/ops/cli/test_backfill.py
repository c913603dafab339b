"""`adsindex backfill`: what it prints, and its exit codes. What it does: tests/system/test_feeds.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.opened import opened
from proto.flows.loader import loads
from repo.system import specs

FLOWS = """
[tables.ads]
source = "ads"
key = "id"
columns = { id = "int" }

[tables.scores]
feed = true
key = "id"
columns = { id = "int", score = "float" }
"""


@pytest.fixture
def fed(folder: Any, adsindex: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A data folder with a feed, beside which nothing runs."""
    monkeypatch.setattr("ops.opened._flows", lambda path, repo: loads(FLOWS))
    folder.close()
    with opened(folder.path) as one:
        one.repo.declare(specs(one.flows))
    return adsindex


def test_rows_are_sent_and_wait_when_nothing_runs(fed: Any, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "score": 0.5}\n{"id": 2, "score": "x"}\n')
    checked = fed("backfill", str(tmp_path / "a.jsonl"), "--table", "scores", "--dry-run")
    assert checked.code == 1 and checked.lines[0] == "scores: 1 file  dry run: nothing was sent"
    assert [line.split()[-1] for line in checked.lines[1:7]] == ["2", "1", "0", "0", "1", "0"]
    assert checked.lines[7] == "a.jsonl, row 2, column 'score': 'x' (str) is not a finite number"
    sent = fed("backfill", str(tmp_path / "a.jsonl"), "--table", "scores")
    assert sent.code == 1 and "1 rows are sent, and applied once `adsindex run` runs" in sent.output
    found = fed("backfill", str(tmp_path / "a.jsonl"), "--table", "scores", "--json").json
    assert (found["sent"], found["written"], found["rejected"]) == (1, None, 1)
    (line, summary) = map(json.loads, Path(found["report"]).read_text().splitlines())
    assert line["row"] == 2 and summary["summary"]["sent"] == 1


def test_a_paused_lane_is_named(fed: Any, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "score": 0.5}\n')
    assert fed("lanes", "pause", "low", "--stage", "argus", "--reason", "crowded").code == 0
    sent = fed("backfill", str(tmp_path / "a.jsonl"), "--table", "scores")
    assert sent.errors.count("lane low of argus is paused since") == 1
    assert "(crowded): what is brought waits there; go on with: adsindex lanes resume low --stage argus" in sent.errors


def test_what_must_be_changed_ends_with_2(fed: Any, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "a.parquet").write_text("no")
    for name in ("a.jsonl", "a.parquet", "b.jsonl"):
        assert fed("backfill", str(tmp_path / name), "--table", "scores").code == 2
    assert fed("backfill", str(tmp_path / "a.jsonl"), "--table", "ads").code == 2
    assert fed("backfill", str(tmp_path / "a.jsonl"), "--table", "scores", "--as-of", "soon").code == 2
