"""`adsindex cluster` without any server: tests/cluster starts them."""

import json
from pathlib import Path

import pytest

from ops.cli.app import run

SERVERS = ["zookeeper", "master", "regionserver", "thrift"]


def test_status_of_what_was_never_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cluster", "status", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("does not run") == len(SERVERS)
    assert run(["cluster", "status", "--json", "--data", str(tmp_path)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["server"] for one in found] == SERVERS
    assert {one["pid"] for one in found} == {None}
    assert list(tmp_path.iterdir()) == []


def test_who_does_not_run_is_named_with_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/ports.json").write_text('{"master":21000}')
    run(["cluster", "status", "--data", str(tmp_path)])
    assert f"! master does not run; its log: {tmp_path}/cluster/logs/master.log" in capsys.readouterr().out


def test_down_of_what_does_not_run(tmp_path: Path) -> None:
    assert run(["cluster", "down", "--only", "hbase", "--data", str(tmp_path)]) == 0


def test_servers_that_there_are_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cluster", "up", "--only", "kafkaesque", "--data", str(tmp_path)]) == 2
    assert "--only kafkaesque: there is hbase" in capsys.readouterr().err
