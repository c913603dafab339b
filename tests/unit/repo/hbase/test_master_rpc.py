"""A master that speaks nonsense, or goes away, is an error that says so."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from proto.errors import UnavailableError
from proto.wire.hbase_rpc_pb2 import ProcedureResponse, TableName, TableRequest
from repo.hbase.master_rpc import MasterConnection

REQUEST = TableRequest(table_name=TableName(namespace=b"default", qualifier=b"t"))


@contextmanager
def answering(answer: bytes) -> Iterator[MasterConnection]:
    """A server that reads something, sends this, and closes."""

    def serve() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):  # the other side may be gone
            client.recv(1 << 16)
            client.sendall(answer)
            client.shutdown(socket.SHUT_WR)
            while client.recv(1 << 16):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        with MasterConnection("127.0.0.1", listener.getsockname()[1], timeout_s=60) as connection:
            yield connection
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x00",
        b"\x00\x00\x00\x00",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x05\x02\x08\x01",
        b"\x00\x00\x00\x04\x02\x08\x07\x00",
        b"\x00\x00\x00\x03junk",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
def test_nonsense(answer: bytes) -> None:
    with answering(answer) as master, pytest.raises(UnavailableError, match=r"no answer from HBase's master at 127"):
        master.call("FlushTable", REQUEST, ProcedureResponse, "table t")


def test_a_good_answer() -> None:
    with answering(b"\x00\x00\x00\x06\x02\x08\x01\x02\x08\x07") as master:
        assert master.call("FlushTable", REQUEST, ProcedureResponse, "table t").proc_id == 7


def test_no_master() -> None:
    with pytest.raises(UnavailableError, match="look whether it runs"):
        MasterConnection("127.0.0.1", 1)
