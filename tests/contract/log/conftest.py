"""Every implementation of the log port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.brokers.lmdb import LmdbLog
from ops.brokers.memory import MemoryLog
from ops.engine.clock import SystemClock
from proto.ports.log import Log
from repo.lmdb.environment import LmdbEnvironment


@pytest.fixture(params=["lmdb", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    if request.param == "memory":
        yield MemoryLog()
        return
    environment = LmdbEnvironment(tmp_path, SystemClock(), nonce=b"contract")
    yield LmdbLog(environment)
    environment.close()
