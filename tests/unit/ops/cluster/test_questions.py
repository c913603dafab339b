"""What is not the server that was asked for, or not yet: tests/cluster asks the real ones."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from ops.cluster.questions import ask_master, ask_region_server, ask_thrift, ask_zookeeper
from proto.errors import UnavailableError

ALL = (ask_zookeeper, ask_master, ask_region_server, ask_thrift)
Ask = Callable[[int], str]


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A port where somebody says this, whatever is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):  # the other side may be gone
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("ask", ALL)
def test_nobody_listens(ask: Ask) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionError):
            ask(unused.getsockname()[1])


@pytest.mark.parametrize("ask", ALL)
def test_somebody_listens_and_says_nothing(ask: Ask) -> None:
    with answering(b"") as port, pytest.raises((ConnectionError, UnavailableError)):
        ask(port)


def test_a_master_that_is_not_ready_says_so() -> None:
    exception = b"\x12\x30\x0a\x2eorg.apache.hadoop.hbase.PleaseHoldException: x"
    header = b"\x08\x00" + exception
    answer = bytes([len(header)]) + header
    with (
        answering(len(answer).to_bytes(4, "big") + answer) as port,
        pytest.raises(UnavailableError, match="PleaseHoldException"),
    ):
        ask_master(port)


def test_zookeeper_that_does_not_serve_yet_says_so() -> None:
    text = b"This ZooKeeper instance is not currently serving requests\n"
    with answering(text) as port, pytest.raises(UnavailableError, match="not currently serving"):
        ask_zookeeper(port)


def test_thrift_that_can_not_read_says_so() -> None:
    answer = b"\x80\x01\x00\x02\x00\x00\x00\x06getRow\x00\x00\x00\x00\x0c\x00\x01\x00"  # IOError, without a text
    with answering(answer) as port, pytest.raises(UnavailableError, match="can't read hbase:meta"):
        ask_thrift(port)
