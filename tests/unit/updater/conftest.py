"""The shop of ads with an updater over it, on every engine of the Repo."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.brokers.lmdb import LmdbLog
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from tests.support.shop import Engine, HandClock, House, memory_engine


@pytest.fixture(params=["memory", "lmdb"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "memory":
        yield memory_engine()
        return
    environment = LmdbEnvironment(tmp_path, HandClock(), nonce=b"updater")
    log = LmdbLog(environment)
    repo = LmdbRepo(environment, HandClock(), log.append_in)
    yield Engine(repo, lambda topic, partition: [message.value for message in log.read(topic, partition, 0, 10_000)])
    environment.close()


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine=engine)
