"""A gate before a server, in which tests cut connections, lose answers and hold them back."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread


class Gate:
    """Passes bytes on between clients and `address`. connections: how many were opened so far; requests: how many
    times somebody began to speak after an answer."""

    def __init__(self, address: str) -> None:
        self.connections = 0
        self.requests = 0
        self._target = address.rsplit(":", 1)
        self._open: list[socket.socket] = []
        self._losing = False
        self._holding = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Closes all connections, as a gateway does with idle ones, or when it ends."""
        for side in self._open:
            _close(side)
        self._open.clear()

    def lose_next_answer(self) -> None:
        """The next request is passed on; instead of its answer, the client sees its connection closed."""
        self._losing = True

    @contextmanager
    def holding_answers(self) -> Iterator[None]:
        """Requests are passed on, answers are not."""
        self._holding = True
        yield
        self._holding = False

    def close(self) -> None:
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((self._target[0], int(self._target[1])))
            except OSError:
                _close(client)
                return
            self.connections += 1
            self._open += [client, server]
            spoken = [False]
            Thread(target=self._requests, args=(client, server, spoken), daemon=True).start()
            Thread(target=self._answers, args=(server, client, spoken), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, spoken: list[bool]) -> None:
        for data in _read(client):
            self.requests += not spoken[0]
            spoken[0] = True
            if not _send(server, data):
                break
        _close(server)

    def _answers(self, server: socket.socket, client: socket.socket, spoken: list[bool]) -> None:
        for data in _read(server):
            spoken[0] = False
            if self._losing:
                self._losing = False
                break
            if not self._holding and not _send(client, data):
                break
        _close(client)


def _read(side: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            data = side.recv(1 << 16)
        except OSError:
            return
        if not data:
            return
        yield data


def _send(side: socket.socket, data: bytes) -> bool:
    try:
        side.sendall(data)
    except OSError:
        return False
    return True


def _close(side: socket.socket) -> None:
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    side.close()
