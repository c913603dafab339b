"""Connections to HBase's Thrift1 gateway, by happybase: one a thread, none older than the gateway bears."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakSet

import happybase
from Hbase_thrift import IllegalArgument
from Hbase_thrift import IOError as ServerError
from thriftpy2.thrift import TApplicationException, TException

from proto.errors import UnavailableError
from proto.ports.clock import Clock
from repo.hbase.server_errors import server_error

IDLE_MS_MAX = 45_000
"""The gateway closes a connection that was idle for 60 s (hbase.thrift.server.socket.read.timeout)."""
TIMEOUT_MS = 90_000
"""Above 60 s: while a region moves, the gateway goes on trying, and mostly succeeds."""

_ANSWERS = (ServerError, IllegalArgument, TApplicationException)
"""Exceptions that were answered: the connection is as good as before. After any other one, half of an answer may be
left in it, and the next call would take it for its own."""

Answer = TypeVar("Answer")
Operation = Callable[[Any], Answer]
"""Gets happybase's client of Hbase.thrift, and may run more than once."""


class ThriftConnection:
    """For the thread that made it: shared by threads, it gave other threads' answers without any error (905 of 1,200
    reads were wrong), because thriftpy2 doesn't compare sequence numbers."""

    def __init__(self, host: str, port: int, clock: Clock, timeout_ms: int) -> None:
        self._owner = threading.get_ident()
        self._clock = clock
        self._used_ms = clock.monotonic_ms()
        self._connection = happybase.Connection(host, port, timeout=timeout_ms, autoconnect=False)

    def is_fresh(self) -> bool:
        return bool(self._connection.transport.is_open()) and self._clock.monotonic_ms() - self._used_ms < IDLE_MS_MAX

    def run(self, operation: Operation[Answer]) -> Answer:
        """Raises what thriftpy2 and the socket raise."""
        assert threading.get_ident() == self._owner, "a Thrift connection is for one thread; each takes its own"
        try:
            self._connection.open()
            answer = operation(self._connection.client)
        except _ANSWERS:
            self._used_ms = self._clock.monotonic_ms()
            raise
        except BaseException:
            self.close()
            raise
        self._used_ms = self._clock.monotonic_ms()
        return answer

    def close(self) -> None:
        self._connection.close()


class ThriftPool:
    """Safe to use from several threads."""

    def __init__(self, host: str, port: int, clock: Clock, timeout_ms: int = TIMEOUT_MS) -> None:
        self._address = (host, port)
        self._clock = clock
        self._timeout_ms = timeout_ms
        self._of_thread = threading.local()
        self._all: WeakSet[ThriftConnection] = WeakSet()
        self._lock = threading.Lock()

    def run(self, operation: Operation[Answer], where: str) -> Answer:
        """Runs it once, or again on a fresh connection when the first one broke. Raises what server_errors.py says, and
        UnavailableError when no answer came: a write may have been done, or may still be. where: table and row."""
        try:
            try:
                return self._connection().run(operation)
            except (TimeoutError, *_ANSWERS):
                raise
            except (TException, OSError):
                return self._connection().run(operation)
        except _ANSWERS as error:
            raise server_error(_text(error), where) from error
        except (TException, OSError) as error:
            host, port = self._address
            told = f"no answer from HBase's Thrift server at {host}:{port} ({error})"
            raise UnavailableError(f"{where}: {told}; look whether it runs. Retry later") from error

    def call(self, where: str, method: str, *arguments: Any) -> Any:
        """One call of Hbase.thrift, as `run`."""
        return self.run(lambda client: getattr(client, method)(*arguments), where)

    def close(self) -> None:
        """Closes the connections of all threads, none of which may be in a call."""
        with self._lock:
            for connection in self._all:
                connection.close()

    def _connection(self) -> ThriftConnection:
        connection: ThriftConnection | None = getattr(self._of_thread, "connection", None)
        if connection is None or not connection.is_fresh():
            if connection is not None:
                connection.close()
            connection = ThriftConnection(*self._address, self._clock, self._timeout_ms)
            self._of_thread.connection = connection
            with self._lock:
                self._all.add(connection)
        return connection


def _text(error: Any) -> str:
    """Class and Java stack trace; the server's own exceptions carry bytes."""
    message = error.message.decode(errors="replace") if isinstance(error.message, bytes) else str(error.message)
    return message if isinstance(error, ServerError) else f"{type(error).__name__}: {message}"
