"""What the processes of a dry run say to each other: frames of msgpack over pipes."""

import os
import select
from typing import Any

import msgspec

from batch.devrun.messages import Built, Called, CodeFacts, Explained
from ops.devrun.loading import Code
from repo.api import Version


class Load(msgspec.Struct, tag=True, tag_field="frame"):
    """To the child, first. timeout_s: how long a request may take; it ends the child itself, with a trace."""

    code: Code
    timeout_s: float


class Build(msgspec.Struct, tag=True, tag_field="frame"):
    type: str
    keys: list[bytes]


class Call(msgspec.Struct, tag=True, tag_field="frame"):
    table: str
    keys: list[bytes]


class Explain(msgspec.Struct, tag=True, tag_field="frame"):
    type: str
    key: bytes


class Answer(msgspec.Struct, tag=True, tag_field="frame"):
    """To what the child asked: versions as (timestamp, value), pages as (key, value), or names."""

    versions: list[tuple[int, bytes | None] | None] = []
    pages: list[list[tuple[bytes, bytes]]] = []
    names: list[str] = []


class AskRows(msgspec.Struct, tag=True, tag_field="frame"):
    table: str
    group: str
    keys: list[bytes]


class AskPages(msgspec.Struct, tag=True, tag_field="frame"):
    table: str
    prefixes: list[bytes]
    limit_each: int
    after: bytes


class AskNames(msgspec.Struct, tag=True, tag_field="frame"):
    schema: int


class Ready(msgspec.Struct, tag=True, tag_field="frame"):
    """The code is loaded."""

    facts: CodeFacts


class Refused(msgspec.Struct, tag=True, tag_field="frame"):
    """The code can't be used: what is wrong with it."""

    message: str


class Made(msgspec.Struct, tag=True, tag_field="frame"):
    """One result of the present request."""

    built: Built | None = None
    called: Called | None = None
    explained: Explained | None = None


class Done(msgspec.Struct, tag=True, tag_field="frame"):
    """The present request is finished."""


ToChild = Load | Build | Call | Explain | Answer
FromChild = AskRows | AskPages | AskNames | Ready | Refused | Made | Done

_encode = msgspec.msgpack.Encoder().encode
_LENGTH = 4
decode_to_child = msgspec.msgpack.Decoder(ToChild).decode
decode_from_child = msgspec.msgpack.Decoder(FromChild).decode


class Pipe:
    """Frames over a pair of file descriptors."""

    def __init__(self, reads_from: int, writes_to: int) -> None:
        self._reads_from, self._writes_to = reads_from, writes_to
        self._buffer = bytearray()

    def send(self, message: Any) -> None:
        """Raises BrokenPipeError when nobody reads there any more."""
        body = _encode(message)
        rest = memoryview(len(body).to_bytes(_LENGTH, "big") + body)
        while rest:
            rest = rest[os.write(self._writes_to, rest) :]

    def receive(self, timeout_s: float | None = None) -> bytes | None:
        """One frame; None at the end. Raises TimeoutError when nothing came for so long."""
        while (frame := self._whole()) is None:
            if timeout_s is not None and not select.select([self._reads_from], [], [], timeout_s)[0]:
                raise TimeoutError
            part = os.read(self._reads_from, 1 << 20)
            if not part:
                return None
            self._buffer += part
        return frame

    def _whole(self) -> bytes | None:
        length = int.from_bytes(self._buffer[:_LENGTH], "big")
        if len(self._buffer) < _LENGTH or len(self._buffer) < _LENGTH + length:
            return None
        frame = bytes(self._buffer[_LENGTH : _LENGTH + length])
        del self._buffer[: _LENGTH + length]
        return frame


def versions_of(answer: Answer) -> list[Version | None]:
    """As repo.api.Reads gives them."""
    return [None if version is None else Version(*version) for version in answer.versions]
