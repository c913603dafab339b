"""HBase's RPC, as far as its master's service needs it: Thrift1 can't set the replication scope of a family.

A frame is its length in four bytes, then messages, each behind its own length as a varint: a header, and what is asked
or answered. (HBase's own documentation of it: hbase-protocol-shaded, RPC.proto.)
"""

import socket
from io import BytesIO
from typing import Self, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.proto import parse_length_prefixed, serialize_length_prefixed

from proto.errors import AdsIndexError, UnavailableError
from proto.wire.hbase_rpc_pb2 import ConnectionHeader, RequestHeader, ResponseHeader, UserInformation
from repo.hbase.server_errors import server_error

_PREAMBLE = b"HBas\x00\x50"
"""Version 0; 0x50: "SIMPLE", which is no Kerberos."""
_USER = "adsindex"
_FRAME_BYTES_MAX = 64 * 1024 * 1024

Response = TypeVar("Response", bound=Message)


class MasterConnection:
    """One connection to the active master; for one thread. Raises UnavailableError when there is no answer."""

    def __init__(self, host: str, port: int, timeout_s: float = 60.0) -> None:
        self._address = f"{host}:{port}"
        self._timeout_s = timeout_s
        self._calls = 0
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
            header = ConnectionHeader(
                user_info=UserInformation(effective_user=_USER), service_name="MasterService"
            ).SerializeToString()
            self._socket.sendall(_PREAMBLE + len(header).to_bytes(4, "big") + header)
        except OSError as error:
            raise self._lost(error) from error

    def call(self, method: str, request: Message, response: type[Response], where: str) -> Response:
        """Raises what the master's exception means (server_errors.py). where: the table, for people."""
        self._calls += 1
        header = RequestHeader(
            call_id=self._calls, method_name=method, request_param=True, timeout=int(self._timeout_s * 1000)
        )
        try:
            self._socket.sendall(_framed(header, request))
            answer = BytesIO(self._read(int.from_bytes(self._read(4), "big")))
            answered = parse_length_prefixed(ResponseHeader, answer)
            if answered is None or answered.call_id != self._calls:
                raise DecodeError(f"{answered} is no answer to call {self._calls}")
            if answered.HasField("exception"):
                exception = answered.exception
                raise server_error(f"{exception.exception_class_name}: {exception.stack_trace}", where)
            result: Response = parse_length_prefixed(response, answer) or response()
        except (OSError, DecodeError) as error:
            raise self._lost(error) from error
        return result

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _read(self, size: int) -> bytes:
        if size > _FRAME_BYTES_MAX:
            raise DecodeError(f"a frame of {size} bytes")
        data = bytearray()
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise DecodeError("the master closed the connection")
            data += part
        return bytes(data)

    def _lost(self, error: Exception) -> AdsIndexError:
        return UnavailableError(f"no answer from HBase's master at {self._address} ({error}); look whether it runs")


def _framed(*messages: Message) -> bytes:
    body = BytesIO()
    for message in messages:
        serialize_length_prefixed(message, body)
    return len(body.getvalue()).to_bytes(4, "big") + body.getvalue()
