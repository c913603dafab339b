"""A data folder, opened for tools that look at it: its Repo, log, dead letters, flows, sources."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.brokers.lmdb import LmdbLog
from ops.brokers.lmdb_dead_letters import LmdbDeadLetters
from ops.engine.clock import SystemClock
from proto.codec import decode_key, encode_key
from proto.errors import SettingsError
from proto.flows.loader import load, loads
from proto.flows.model import Flows
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetters
from proto.ports.log import Log
from repo.api import Repo, Snapshot
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from repo.rows import Schemas
from repo.source_states import read_source_states
from repo.system import (
    GENERATIONS,
    SOURCES,
    STATE,
    SourceState,
    decode_generation_state,
    system_specs,
)

FLOWS_FILE = "flows.toml"
STORE_FILE = "data.mdb"
LOCK_FILE = "lock.mdb"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """flows: those that the folder's documents were built with."""

    path: Path
    repo: Repo
    log: Log
    dead_letters: DeadLetters
    schemas: Schemas
    flows: Flows
    clock: Clock
    environment: LmdbEnvironment

    def source_states(self) -> dict[str, SourceState]:
        """How far each source is applied, by its name."""
        with self.repo.snapshot() as snapshot:
            names = [str(decode_key(key)[0]) for key, _ in snapshot.scan(SOURCES, STATE)]
            states = read_source_states(snapshot, names)
        return {name: state for name, state in zip(names, states, strict=True) if state is not None}

    def sources(self) -> list[str]:
        """Names of the sources that have been applied from."""
        return list(self.source_states())

    def snapshot(self, timestamp: int | None) -> Snapshot:
        """As of a timestamp; None: now. A time after the newest commit is now."""
        if timestamp is None or timestamp >= self.repo.last_timestamp():
            return self.repo.snapshot()
        return self.repo.snapshot_at(timestamp)


@contextmanager
def opened(path: Path) -> Iterator[DataFolder]:
    """Changes nothing. Raises SettingsError when at `path` is no data folder, or none that this program can read."""
    if not (path / STORE_FILE).exists():
        raise SettingsError(
            f"there is no data folder at {path}: name it with --data DIR or ADSINDEX_DATA, or make it: adsindex run"
        )
    clock = SystemClock()
    environment = LmdbEnvironment(path, clock, os.urandom(8), looking=True)
    try:
        log = LmdbLog(environment)
        repo = LmdbRepo(environment, clock, log.append_in)
        repo.declare(system_specs())  # a folder of an earlier version may lack the youngest
        yield DataFolder(
            path,
            repo,
            log,
            LmdbDeadLetters(environment),
            Schemas(repo),
            _flows(path, repo),
            clock,
            environment,
        )
    finally:
        environment.close()


def _flows(path: Path, repo: Repo) -> Flows:
    """What the Repo admitted; before anything was: the file in the folder."""
    with repo.snapshot() as snapshot:
        (stored,) = snapshot.read(GENERATIONS, STATE, [encode_key(("admitted",))])
    if stored is not None and stored.value is not None:
        return loads(decode_generation_state(stored.value).current.text, str(path))
    if (path / FLOWS_FILE).exists():
        return load(path / FLOWS_FILE)
    raise SettingsError(f"{path} holds no flows yet: start `adsindex run --data {path}` first")
