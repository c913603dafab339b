"""gRPC into a whole index in this process, and out of it; and through kill -9 of a real one."""

import io
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from argus.registry import register
from ops.cli.answers import answers
from ops.cli.app import run
from ops.opened import DataFolder
from ops.rpc import ingest
from ops.rpc.client import Client, Refusal, SentRow
from ops.settings import load_settings
from ops.wiring.process import assemble_process
from ops.wiring.rpc import Rpc
from ops.wiring.store import open_store
from proto.errors import SettingsError, UnavailableError
from proto.flows.loader import loads
from proto.wire import ingest_pb2
from tests.support.processes import PATIENCE_S, Daemon, adsindex, command
from tests.support.whole import Whole
from tests.system.feeds import FED, jsonl, score

NOW = 1_790_000_000_000


class Served(Whole):
    """A whole index whose loop runs in a thread, with RPC beside it."""

    def _opened(self, flows: Any) -> Any:
        self.flows = flows
        store = open_store(self.folder, load_settings(self.folder, {}).settings)
        application = register(flows, ())
        self.data = folder_of(store, flows)
        self.rpc = Rpc(store, application, list(self.sources), answers(self.data))
        process = assemble_process(store, application, self.sources, inlets=[self.rpc.inlet])
        self.address = self.rpc.start(0)
        self.thread = threading.Thread(target=process.loop.run)
        self.thread.start()
        self._closed = False
        return process

    def close(self) -> None:
        if not self._closed:
            self.process.loop.stop()
            self.thread.join()
            self.rpc.stop()
        super().close()

    def scores(self) -> dict[int, Any]:
        return {line["id"][1]: line["fields"]["score"] for line in self.lines("player")}


def folder_of(store: Any, flows: Any) -> Any:
    return DataFolder(
        store.folder, store.repo, store.log, store.dead_letters, store.schemas, flows, store.clock, store.environment
    )


@pytest.fixture
def served(tmp_path: Path, editor: sqlite3.Connection) -> Iterator[Served]:
    one = Served(tmp_path / "data", {"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(FED))
    yield one
    one.close()


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    made = Client(served.address)
    yield made
    made.close()


def sent(client: Client, *rows: SentRow, table: str = "scores", **more: Any) -> tuple[int, list[Refusal]]:
    taken, refusals = 0, list[Refusal]()
    for count, refused in client.send(table, more.pop("source", ""), [rows], **more):
        taken, refusals = taken + count, refusals + refused
    return taken, refusals


def row(number: int, points: Any, version: int = NOW, **more: Any) -> SentRow:
    return SentRow(number, score(number, points), version, **more)


def waited(served: Served, wanted: Any, look: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, (found, served.errors())
        time.sleep(0.005)


def test_rows_reach_documents_and_questions_are_answered(served: Served, client: Client) -> None:
    assert sent(client, row(1, 0.5), row(2, 1.5), row(3, None)) == (3, [])
    waited(served, {1: 0.5, 2: 1.5}, served.scores)
    (document,) = client.ask("Document", 'player/["a",1]')
    assert (document["id"], document["fields"]["score"]) == (["a", 1], 0.5)
    assert client.ask("Document", "player/a,9") == []
    assert client.ask("Trace", "player/a,1", limit=1)[0]["id"] == ["a", 1]
    (lineage,) = client.ask("Lineage", "player/a,1")
    assert lineage["fields"]["score"]["origins"][0]["table"] == "scores"
    (why,) = client.ask("Why", "player/a,1")
    assert why["id"] == ["a", 1] and why["code"] != "unknown_id"
    with pytest.raises(SettingsError, match="2000-99"):
        client.ask("Document", "player/a,1", as_of="2000-99")
    with pytest.raises(SettingsError, match=r"Method not found"):
        client.ask("Whatever", "player/a,1")


def test_the_highest_version_stays_in_whatever_order_it_comes(served: Served, client: Client) -> None:
    sent(client, row(1, 5.0, NOW + 5), row(1, 3.0, NOW + 3), row(2, 1.0, NOW))
    sent(client, row(1, 4.0, NOW + 4), row(2, 1.0, NOW))
    waited(served, {1: 5.0, 2: 1.0}, served.scores)
    sent(client, SentRow(1, {"club": "a", "number": 1}, NOW + 6, True), row(2, 2.0, NOW + 1))
    waited(served, {1: None, 2: 2.0}, served.scores)
    assert served.letters() == []


def test_bad_rows_are_refused_by_number_and_column_and_the_others_taken(served: Served, client: Client) -> None:
    bad = [row(11, "high"), SentRow(12, {"club": "a", "number": 1}), row(13, 1.0, NOW**2 % 2**63), row(14, {"a": 1})]
    taken, refusals = sent(client, row(1, 0.5), *bad, row(2, 1.5))
    assert taken == 2 and [(one.number, one.column) for one in refusals] == [
        (11, "score"), (12, "score"), (13, ""), (14, "score"),
    ]  # fmt: skip
    assert "'high' (str) is not a finite number" in refusals[0].reason
    assert "is no time in ms" in refusals[2].reason and "object does not fit 'float'" in refusals[3].reason
    waited(served, {1: 0.5, 2: 1.5}, served.scores)
    assert sent(client, SentRow(1, {"club": "a", "number": 1, "score": 9.0}, NOW + 1), partial=True) == (1, [])
    waited(served, {1: 9.0, 2: 1.5}, served.scores)


@pytest.mark.parametrize(
    ("table", "columns", "source", "said"),
    [
        ("players", ["number"], "", "table 'players' is written by its database"),
        ("score", ["number"], "", r"there is no table 'score'; did you mean 'scores'\?"),
        ("scores", ["nummer"], "", "table 'scores' has no column 'nummer'; it has: club, number, score, trend"),
        ("scores", ["score", "score"], "", "a column is there twice: score, score"),
        ("scores", ["score"], "eu", "table 'scores' has no rows of source 'eu'"),
    ],
)
def test_a_batch_that_can_not_be_understood_ends_the_stream(
    served: Served, table: str, columns: list[str], source: str, said: str
) -> None:
    with grpc.insecure_channel(served.address) as channel:
        write = channel.stream_stream(
            "/adsindex.v1.Ingest/Write", ingest_pb2.Batch.SerializeToString, ingest_pb2.Receipt.FromString
        )
        with pytest.raises(grpc.RpcError, match=said) as raised:
            list(write(iter([ingest_pb2.Batch(table=table, columns=columns, source=source)])))
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        wrong = ingest_pb2.Batch(table="scores", columns=["score"], rows=[ingest_pb2.Row()], sequence=7)
        (receipt,) = write(iter([wrong]))
        assert (receipt.sequence, receipt.taken) == (7, 0)
        assert receipt.refusals[0].reason == "the row has 0 values for 1 columns"


def test_health(served: Served) -> None:
    with grpc.insecure_channel(served.address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        for service in ("", "adsindex.v1.Ingest", "adsindex.v1.Query"):
            assert check(health_pb2.HealthCheckRequest(service=service)).status == 1


def test_a_batch_that_is_too_large(served: Served, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "ROWS_MAX", 2)
    with pytest.raises(SettingsError, match="3 rows in one batch; at most 2"):
        sent(client, row(1, 1.0), row(2, 1.0), row(3, 1.0))


def test_rows_that_are_too_large_for_one_message_go_in_several(served: Served, client: Client) -> None:
    def wide(number: int, size: int) -> SentRow:
        return SentRow(number, {**score(number, number / 2), "trend": ["x" * size]}, NOW)

    assert sent(client, *(wide(at, 1_500_000) for at in range(1, 8)), row(8, "high")) == (
        7, [Refusal(8, "score", "'high' (str) is not a finite number")],
    )  # fmt: skip
    with pytest.raises(SettingsError, match=r"a row is too large to be sent: .* larger than max"):
        sent(client, wide(1, 5_000_000))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-",), 0, "1 rows are durable, 0 refused"),
        (("nothing.jsonl",), 2, "nothing.jsonl can't be read: No such file or directory"),
        (("-", "--batch", "0"), 2, "--batch 0: at least 1 row is sent together"),
    ],
)
def test_ingest_from_standard_input_and_from_no_file(
    served: Served, arguments: tuple[str, ...], code: int, said: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    lines = io.TextIOWrapper(io.BytesIO(json.dumps(score(1, 0.5)).encode()))
    monkeypatch.setattr("sys.stdin", lines)
    assert run(["ingest", *arguments, "--table", "scores", "--address", served.address]) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


def test_when_it_stops_who_sends_is_told(served: Served, client: Client) -> None:
    served.process.loop.stop()
    served.thread.join()
    served.rpc.inlet.close()
    with pytest.raises(UnavailableError, match="adsindex is stopping; send it again"):
        sent(client, row(1, 1.0))


def test_a_port_that_is_taken(tmp_path: Path, editor: sqlite3.Connection, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        (tmp_path / "flows.toml").write_text(FED)
        source = ("--source", f"sqlite:///{tmp_path / 'club.db'}", "--flows", str(tmp_path / "flows.toml"))
        assert run(["run", *source, "--data", str(tmp_path / "data"), "--rpc", port]) == 2
    assert f"--rpc {port}: the port is taken" in capsys.readouterr().err


def test_kill_9_while_rows_are_sent(tmp_path: Path, editor: sqlite3.Connection) -> None:
    """The client sends again what was not answered: every row that it was told of is there, in its newest version."""
    (tmp_path / "flows.toml").write_text(FED)
    editor.executemany("INSERT OR REPLACE INTO players VALUES ('a', ?, 1, ?, 5)", [(at, f"t{at}") for at in range(50)])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = ("--source", f"sqlite:///{tmp_path / 'club.db'}", "--flows", tmp_path / "flows.toml")
    arguments = command("run", *source, "--data", tmp_path / "data", "--rpc", port)
    rows = [{**score(at % 50, at / 2), "@version": NOW + at} for at in range(4500)]
    path = jsonl(tmp_path / "rows.jsonl", [*rows, {**score(1, "x"), "@version": NOW}])
    running = Daemon(arguments, tmp_path / "run.txt")
    try:
        running.says(f"rpc: 127.0.0.1:{port}")
        running.says("live")
        ingesting = command(
            "ingest", path, "--table", "scores", "--address", f"127.0.0.1:{port}", "--batch", 20, "--json"
        )
        sending = Daemon(ingesting, tmp_path / "sent.txt")
        for _ in range(2):
            with pytest.raises(Exception, match="timed out"):
                sending.process.wait(0.8)  # half of it is its start
            running.kill()
            running = Daemon(arguments, tmp_path / "run.txt")
        assert sending.process.wait(PATIENCE_S) == 1, sending.text
        found = json.loads(sending.text)
        assert (found["taken"], found["refused"], found["refusals"][0]["line"]) == (4500, 1, 4501)
        assert adsindex("wait", "--data", tmp_path / "data").code == 0
        lines = adsindex("docs", "--json", "--data", tmp_path / "data").jsonl
        assert {line["id"][1]: line["fields"]["score"] for line in lines} == {at: (4450 + at) / 2 for at in range(50)}
        assert adsindex("dead-letters", "list", "--json", "--data", tmp_path / "data").output == ""
    finally:
        running.kill()
