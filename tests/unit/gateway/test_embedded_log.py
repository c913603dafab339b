"""The gateway over the embedded log: its groups, its restarts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.brokers.lmdb import LmdbLog
from repo.lmdb.environment import LmdbEnvironment
from tests.support.source import StillClock, World, flows_of, table

FLOWS = flows_of(table("ads", {"id": "int", "bid": "int"}))
SETUP = """CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) INSERT INTO ads SELECT i, i FROM n"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LmdbLog]:
    environment = LmdbEnvironment(tmp_path / "data", StillClock(), b"nonce", map_bytes=1 << 26)
    yield LmdbLog(environment)
    environment.close()


def test_kills_and_undone_groups_at_every_step(world: Callable[..., World], log: LmdbLog) -> None:
    shop = world(FLOWS, SETUP, log=log, trim_rows=2)
    for number in range(1, 25):
        shop.sql(f"UPDATE ads SET bid = -{number} WHERE id = {number}", f"DELETE FROM ads WHERE id = {number + 3}")
        with pytest.raises(ZeroDivisionError), shop.log.group():
            shop.gateway.step(3)
            raise ZeroDivisionError
        if number % 3 == 0:
            shop.restart()
        shop.gateway.step(3)
        shop.gateway.trim()
        shop.mirror.pull()
    shop.drain(3)
    assert not shop.differences()
