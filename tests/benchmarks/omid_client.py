"""A small client of the wire protocol of Omid's oracle (TSOProto): begin and commit, many at once, from many threads.

Frames are a length (4 bytes, big-endian) and a protobuf message. Requests: 3 handshake; 1 begin; 2 commit {1 start
timestamp, 3 cell ids, 4 table ids}. Answers: 1 begin {1 start timestamp}, in the order of the requests; 2 commit {1
aborted, 2 start timestamp, 3 commit timestamp}.
"""

import socket
import struct
import threading
from collections import deque
from collections.abc import Sequence

from repo.api import OutcomeKind
from repo.oracle.port import Begun, CommitRequest, Decision

_PATIENCE_S = 30.0
_HANDSHAKE = bytes.fromhex("000000041a020a00")
_BEGIN = bytes.fromhex("000000020a00")
_TABLE = b"\x20\x01"


class _Waiting:
    """What one call waits for: so many answers."""

    def __init__(self, count: int) -> None:
        self.answers: list[tuple[int, int, int]] = []
        self.left = count
        self.done = threading.Event()

    def take(self, answer: tuple[int, int, int]) -> None:
        self.answers.append(answer)
        self.left -= 1
        if not self.left:
            self.done.set()


class OmidOracle:
    """begin and commit of repo.oracle.port.TimestampOracle. A snapshot is the start timestamp, as in Omid."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), _PATIENCE_S)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(_HANDSHAKE)
        self._sending = threading.Lock()
        self._begins: deque[_Waiting] = deque()
        self._commits: dict[int, _Waiting] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def begin(self, count: int = 1) -> list[Begun]:
        waiting = _Waiting(count)
        with self._sending:
            self._begins.extend([waiting] * count)
            self._socket.sendall(_BEGIN * count)
        assert waiting.done.wait(_PATIENCE_S), "Omid does not answer"
        return [Begun(start, start) for start, _, _ in waiting.answers]

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        waiting = _Waiting(len(requests))
        for request in requests:
            self._commits[request.id] = waiting
        with self._sending:
            self._socket.sendall(b"".join(map(_commit, requests)))
        assert waiting.done.wait(_PATIENCE_S), "Omid does not answer"
        decided = {start: (aborted, at) for aborted, start, at in waiting.answers}
        return [_decision(*decided[request.id]) for request in requests]

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        held = b""
        while data := self._socket.recv(1 << 18):
            held += data
            at = 0
            while len(held) - at >= 4:
                (size,) = struct.unpack_from(">I", held, at)
                if len(held) - at - 4 < size:
                    break
                self._answer(held, at + 4)
                at += 4 + size
            held = held[at:]

    def _answer(self, data: bytes, at: int) -> None:
        kind, end = data[at] >> 3, at + 2 + data[at + 1]
        values = [0, 0, 0]
        at += 2
        while kind < 3 and at < end:
            field = data[at] >> 3
            values[field - 1], at = _varint(data, at + 1)
        if kind == 1:
            self._begins.popleft().take((values[0], 0, 0))
        elif kind == 2:
            self._commits.pop(values[1]).take((values[0], values[1], values[2]))


def _commit(request: CommitRequest) -> bytes:
    body = b"\x08" + _encoded(request.id)
    body += b"".join(b"\x18" + _encoded(cell & 0xFFFFFFFFFFFFFFFF) for cell in request.written) + _TABLE
    message = b"\x12" + _encoded(len(body)) + body
    return struct.pack(">I", len(message)) + message


def _decision(aborted: int, at: int) -> Decision:
    return Decision(OutcomeKind.CONFLICT if aborted else OutcomeKind.COMMITTED, at)


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, where the next one begins)"""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
