"""A data folder, opened for work: environment, Repo, log, dead letters, doorbell, liveness."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ops.brokers.lmdb import LmdbLog
from ops.brokers.lmdb_dead_letters import LmdbDeadLetters
from ops.engine.clock import SystemClock
from ops.engine.doorbell import Doorbell
from ops.engine.liveness import Liveness
from ops.engine.pauses import Pauses
from ops.engine.positions import Positions
from ops.engine.traffic import Traffic
from ops.settings import Settings
from ops.stale.orders import Orders
from proto.ports.clock import Clock
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from repo.rows import Schemas
from repo.system import system_specs


@dataclass(slots=True)
class Store:
    """What the roles of one process share."""

    folder: Path
    settings: Settings
    clock: Clock
    environment: LmdbEnvironment
    log: LmdbLog
    repo: LmdbRepo
    schemas: Schemas
    dead_letters: LmdbDeadLetters
    bell: Doorbell
    liveness: Liveness
    pauses: Pauses
    positions: Positions
    traffic: Traffic
    orders: Orders
    closing: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """Lets go of everything, in the reverse order."""
        for close in reversed(self.closing):
            close()
        self.bell.close()
        self.liveness.close()
        self.environment.close()


def open_store(folder: Path, settings: Settings, clock: Clock | None = None) -> Store:
    """Creates the folder if need be. clock: the machine's by default. Raises SettingsError for a folder that can't be
    used."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = clock or SystemClock()
    environment = LmdbEnvironment(folder, clock, os.urandom(8))
    log = LmdbLog(environment)
    repo = LmdbRepo(environment, clock, log.append_in)
    repo.declare(system_specs())
    bell = Doorbell(folder)
    environment.on_commit.append(bell.ring)
    return Store(
        folder,
        settings,
        clock,
        environment,
        log,
        repo,
        Schemas(repo),
        LmdbDeadLetters(environment),
        bell,
        Liveness(folder),
        Pauses(folder),
        Positions(log),
        Traffic(settings.engine),
        Orders(repo),
    )
