"""What the leading oracle says of itself."""

from contextlib import closing
from pathlib import Path
from typing import Any

from ops.settings import Settings
from ops.wiring.hbase import hbase_addresses
from ops.wiring.oracle import election_path
from proto.errors import UnavailableError
from repo.oracle.grpc_client import status_of
from repo.oracle.zookeeper import ZookeeperLeaders


def oracle_status(settings: Settings, data: Path) -> dict[str, Any]:
    """`leads`; with it what OracleService.status tells, without it the `problem`. Raises SettingsError,
    UnavailableError when ZooKeeper does not answer."""
    addresses = hbase_addresses(settings.hbase, data)
    with closing(ZookeeperLeaders(addresses.zookeeper, election_path(settings.hbase.prefix))) as leaders:
        leader = leaders.current()
    if leader is None:
        return {"leads": False, "problem": "none ever did; start one: adsindex run --role oracle"}
    try:
        status = status_of(leader.address)
    except UnavailableError as error:
        return {"leads": False, "problem": f"the last one to lead does not answer: {error}"}
    return status if status["leads"] else {**status, "problem": f"{leader.address} stands by"}
