"""What a cluster is made of: kits of servers that run from the same jars."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Ports = Mapping[str, int]
"""Name of a port -> number; a server's first port is called as the server."""


@dataclass(frozen=True)
class Server:
    """A Java program.

    main: its class and arguments, paths from the cluster's folder. ports: what it listens at. ask: makes one real call
    at its first port and says what answered; raises UnavailableError or OSError while it does not.
    """

    name: str
    main: tuple[str, ...]
    heap_mb: int
    ports: tuple[str, ...]
    ask: Callable[[int], str]


@dataclass(frozen=True)
class Kit:
    """Servers that are started and stopped together, in this order and in the reverse one.

    name: what `--only` takes. pom: names their jars, the one place of their versions. files: the configuration, path
    below `conf` -> text, from the cluster's folder and the ports; `conf/NAME.jvm` holds the options of every JVM.
    """

    name: str
    pom: Path
    servers: tuple[Server, ...]
    files: Callable[[Path, Ports], dict[str, str]]
