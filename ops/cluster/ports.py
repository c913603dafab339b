"""Ports of a cluster: the ones it had, where they are still free; below those that the system gives to clients."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from zlib import crc32

import msgspec

from ops.replaced import replace_file
from proto.errors import UnavailableError

_FIRST, _END = 20_000, 32_768  # Linux gives clients ports from 32768 on, macOS from 49152


def kept_ports(folder: Path) -> dict[str, int]:
    """By server, of the cluster in this folder; none where there is no cluster."""
    path = folder / "ports.json"
    return msgspec.json.decode(path.read_bytes(), type=dict[str, int]) if path.exists() else {}


def keep_ports(folder: Path, ports: Mapping[str, int]) -> None:
    """So that a restart has the same."""
    replace_file(folder / "ports.json", msgspec.json.encode(ports))


def choose_ports(names: Iterable[str], kept: Mapping[str, int], held: Iterable[str], folder: Path) -> dict[str, int]:
    """kept: what it had. held: names whose server runs, so that they can't change. Others are looked for from a place
    that the folder decides: two clusters on one machine rarely want the same."""
    chosen = {name: kept[name] for name in held if name in kept}
    candidates = _candidates(folder)
    for name in names:
        if name in chosen:
            continue
        port = kept.get(name, 0)
        while not port or port in chosen.values() or not _is_free(port):
            port = next((one for one in candidates if one not in kept.values()), 0)
            if not port:
                raise UnavailableError(f"no free port from {_FIRST} to {_END - 1} on 127.0.0.1")
        chosen[name] = port
    return chosen


def _candidates(folder: Path) -> Iterator[int]:
    count = _END - _FIRST
    begin = crc32(bytes(folder)) % count
    return iter(_FIRST + (begin + at) % count for at in range(count))


def _is_free(port: int) -> bool:
    """Whether a server could listen there on the loopback interface, and on all."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((address, port))
            except OSError:
                return False
    return True
