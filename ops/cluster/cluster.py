"""A cluster in a folder: configuration, ports, logs and data of its servers; started, looked at, stopped."""

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.cluster.jars import fetched
from ops.cluster.java import find_java
from ops.cluster.kit import Kit, Server
from ops.cluster.ports import choose_ports, keep_ports, kept_ports
from ops.cluster.process import ServerProcess
from proto.errors import AdsIndexError, UnavailableError

READY_WITHIN_S = 180.0
STOP_WITHIN_S = 30.0
_LOOK_S = 0.2
_LINES_SHOWN = 25
_VARIABLES = ("PATH", "HOME", "JAVA_HOME", "JDK_JAVA_OPTIONS", "LANG", "TZ")
"""What servers get of the environment; HBase would write all of it, passwords too, to its log. JDK_JAVA_OPTIONS: more
options for each JVM."""


@dataclass(frozen=True)
class ServerStatus:
    """What is known of a server. pid None: it does not run. problem "": it answers, and `answer` says what."""

    kit: str
    server: str
    address: str
    pid: int | None
    memory_bytes: int | None
    answer: str
    problem: str
    log: str


class Cluster:
    """Several may be on one machine, each in a folder of its own. report: takes lines that tell how it goes on."""

    def __init__(
        self, folder: Path, kits: Sequence[Kit], environment: Mapping[str, str], report: Callable[[str], None]
    ) -> None:
        self.folder = folder.resolve()
        self._kits, self._environment, self._report = kits, environment, report

    def up(self, within_s: float = READY_WITHIN_S) -> None:
        """Starts what does not run, and returns when everything answers.

        within_s: for a server, when those before it answer. Raises SettingsError when Java or Maven is missing,
        UnavailableError when a server ends or does not answer; what was started by then is stopped again.
        """
        if self._answers():
            return
        java = find_java(self._environment)
        found = {kit.name: fetched(kit.pom, self._environment, self._report) for kit in self._kits}
        with self._changing():
            if self._answers():  # somebody else has started it meanwhile
                return
            started: list[Server] = []
            try:
                for kit in self._kits:
                    self._start(kit, java, found[kit.name], started, within_s)
            except BaseException:
                self._stop(started, STOP_WITHIN_S)
                raise

    def down(self, within_s: float = STOP_WITHIN_S) -> None:
        """Stops what runs; the data stays. within_s: a server that takes longer is killed."""
        if not self.folder.is_dir():
            return
        with self._changing():
            for kit in reversed(self._kits):
                self._stop(kit.servers, within_s)

    def status(self) -> list[ServerStatus]:
        """Of each server, in the order in which they start."""
        ports = kept_ports(self.folder)
        return [self._status(kit, server, ports.get(server.name)) for kit in self._kits for server in kit.servers]

    def process(self, server: str) -> ServerProcess:
        """By its name."""
        return ServerProcess(self.folder, server)

    def _answers(self) -> bool:
        if not all(one.answer for one in self.status()):
            return False
        self._report(f"{self.folder}: all servers answer already")
        return True

    def _start(self, kit: Kit, java: str, jar_folder: Path, started: list[Server], within_s: float) -> None:
        running = {server.name for server in kit.servers if self.process(server.name).pid() is not None}
        ports = self._ports(kit, running)
        self._configure(kit, ports)
        processes = {server: self.process(server.name) for server in kit.servers}
        environment = {name: self._environment[name] for name in _VARIABLES if name in self._environment}
        begin = time.monotonic()
        for server, process in processes.items():
            if server.name not in running:
                started.append(server)
                process.start(_command(kit, server, java, jar_folder), environment)
                self._report(f"{server.name}: started, at 127.0.0.1:{ports[server.name]}")
        for server, process in processes.items():
            answer = _wait_for(server, process, ports[server.name], within_s)
            self._report(f"{server.name}: answers ({answer}) after {time.monotonic() - begin:.1f} s")

    def _stop(self, servers: Sequence[Server], within_s: float) -> None:
        for server in reversed(servers):
            process = self.process(server.name)
            if process.pid() is not None:
                begin = time.monotonic()
                willing = process.stop(within_s)
                how = "stopped" if willing else "killed: it did not stop"
                self._report(f"{server.name}: {how}, after {time.monotonic() - begin:.1f} s")

    def _status(self, kit: Kit, server: Server, port: int | None) -> ServerStatus:
        process = self.process(server.name)
        pid, answer, problem = process.pid(), "", ""
        if pid is None or port is None:
            problem = "does not run"
        else:
            try:
                answer = server.ask(port)
            except (AdsIndexError, OSError) as error:
                problem = f"runs, but does not answer: {error}"
        address = "" if port is None else f"127.0.0.1:{port}"
        memory = process.memory_bytes()
        return ServerStatus(kit.name, server.name, address, pid, memory, answer, problem, str(process.log))

    def _configure(self, kit: Kit, ports: Mapping[str, int]) -> None:
        conf = self.folder / "conf"
        conf.mkdir(exist_ok=True)
        for name, text in kit.files(self.folder, ports).items():
            (conf / name).write_text(text)

    def _ports(self, kit: Kit, running: set[str]) -> dict[str, int]:
        """Of the kit; all that are known are kept in the folder, so that a restart has the same."""
        kept = kept_ports(self.folder)
        names = [name for server in kit.servers for name in server.ports]
        held = [name for server in kit.servers if server.name in running for name in server.ports]
        chosen = choose_ports(names, kept, held, self.folder)
        keep_ports(self.folder, kept | chosen)
        return chosen

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time starts and stops servers here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _command(kit: Kit, server: Server, java: str, jar_folder: Path) -> list[str]:
    """From the cluster's folder."""
    options = [f"@conf/{kit.name}.jvm", f"-Xmx{server.heap_mb}m", f"-Dadsindex.server={server.name}"]
    return [java, *options, "-classpath", f"conf:{jar_folder}/*", *server.main]


def _wait_for(server: Server, process: ServerProcess, port: int, within_s: float) -> str:
    """What it answers, as soon as it does."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return server.ask(port)
        except (AdsIndexError, OSError) as error:
            trouble = error
        if process.pid() is None:
            raise UnavailableError(f"{server.name} has ended. The end of its log, {process.log}:\n{_end(process)}")
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"{server.name} does not answer within {within_s:g} s ({trouble}). "
                f"The end of its log, {process.log}:\n{_end(process)}"
            )
        time.sleep(_LOOK_S)


def _end(process: ServerProcess) -> str:
    return process.last_words(_LINES_SHOWN) or "(it has said nothing)"
