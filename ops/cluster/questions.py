"""One real call to each server, by sockets alone: what is asked here, and answered, works.

Each returns what answered. Raises OSError while nobody listens or nothing comes, UnavailableError for an answer that
says "not yet". The bytes: ZooKeeper's `srvr` command; HBase's RPC.proto (preamble, connection header, one request);
Thrift's binary protocol.
"""

import re
import socket
import struct

from proto.errors import UnavailableError

_TIMEOUT_S = 3.0
_ANSWERED = b"\x02\x08\x00"  # an RPC.proto response header of two bytes: call_id 0, no exception
_REPLY = 0x80010002
_STRING, _MAP, _LIST = 11, 13, 15


def ask_zookeeper(port: int) -> str:
    """Its version and role."""
    with _connected(port) as connection:
        connection.sendall(b"srvr")
        text = _to_the_end(connection).decode(errors="replace")
    version = re.search(r"version: ([\w.]+)", text)
    if version is None:
        raise UnavailableError(f"ZooKeeper says: {text.strip() or 'nothing'}")
    return f"ZooKeeper {version[1]}"


def ask_master(port: int) -> str:
    """It answers this only when it has initialised all, system tables included."""
    _hbase_call(port, "MasterService", "GetNamespaceDescriptor", _field(1, b"default"))
    return "namespaces"


def ask_region_server(port: int) -> str:
    """It answers this only when it is open."""
    _hbase_call(port, "AdminService", "GetServerInfo", b"")
    return "server information"


def ask_thrift(port: int) -> str:
    """A read of the table hbase:meta, through all servers."""
    message = struct.pack(">I", 0x80010001) + _text(b"getRow") + struct.pack(">i", 0)
    message += struct.pack(">bh", _STRING, 1) + _text(b"hbase:meta") + struct.pack(">bh", _STRING, 2) + _text(b"-")
    message += struct.pack(">bhbbi", _MAP, 3, _STRING, _STRING, 0) + b"\0"
    with _connected(port) as connection:
        connection.sendall(message)
        kind, name_length = struct.unpack(">Ii", _exactly(connection, 8))
        _exactly(connection, name_length + 4)
        (result,) = _exactly(connection, 1)
    if kind != _REPLY or result != _LIST:
        raise UnavailableError("Thrift can't read hbase:meta")
    return "a row of hbase:meta"


def _hbase_call(port: int, service: str, method: str, parameter: bytes) -> None:
    connection_header = _field(1, _field(1, b"adsindex")) + _field(2, service.encode())
    request_header = b"\x08\x00" + _field(3, method.encode()) + b"\x20\x01"  # call_id 0, method_name, request_param
    request = _prefixed(request_header) + _prefixed(parameter)
    with _connected(port) as connection:
        connection.sendall(b"HBas\x00\x50" + struct.pack(">i", len(connection_header)) + connection_header)
        connection.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", _exactly(connection, 4))
        answer = _exactly(connection, length)
    if not answer.startswith(_ANSWERED):
        exception = re.search(rb"[\w.$]+Exception", answer)
        raise UnavailableError(f"{service} says {exception[0].decode() if exception else 'no'}")


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes, shorter than 128."""
    return bytes([number << 3 | 2]) + _prefixed(content)


def _prefixed(content: bytes) -> bytes:
    return bytes([len(content)]) + content


def _text(content: bytes) -> bytes:
    """Thrift's string."""
    return struct.pack(">i", len(content)) + content


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)


def _exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        if not piece:
            raise ConnectionError("it has closed the connection")
        received += piece
    return received


def _to_the_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(4096), b""))
