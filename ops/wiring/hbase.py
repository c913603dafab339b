"""Where the servers of the distributed system are: what the settings say, or the cluster in the data folder."""

from pathlib import Path
from typing import NamedTuple

from ops.cluster.ports import kept_ports
from proto.errors import SettingsError
from repo.hbase.settings import HbaseSettings


class HbaseAddresses(NamedTuple):
    """zookeeper: HOST:PORT,HOST:PORT,..."""

    zookeeper: str
    thrift_host: str
    thrift_port: int


def hbase_addresses(settings: HbaseSettings, data: Path) -> HbaseAddresses:
    """Raises SettingsError when there are none."""
    ports = kept_ports(data / "cluster")
    zookeeper = settings.zookeeper or _in_folder(ports.get("zookeeper"), "hbase.zookeeper", data)
    thrift = settings.thrift or _in_folder(ports.get("thrift"), "hbase.thrift", data)
    host, _, port = thrift.rpartition(":")
    if not host or not port.isdigit():
        raise SettingsError(f"hbase.thrift: {thrift!r} is not HOST:PORT")
    return HbaseAddresses(zookeeper, host, int(port))


def _in_folder(port: int | None, setting: str, data: Path) -> str:
    if port is None:
        raise SettingsError(
            f"{setting}: say where it is (HOST:PORT), or start one here: adsindex cluster up --only hbase --data {data}"
        )
    return f"127.0.0.1:{port}"
