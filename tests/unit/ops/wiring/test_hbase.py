"""Where the servers are: settings first, then the cluster in the data folder, then an error that says what to do."""

from pathlib import Path

import pytest

from ops.cluster.ports import keep_ports
from ops.wiring.hbase import HbaseAddresses, hbase_addresses
from proto.errors import SettingsError
from repo.hbase.settings import HbaseSettings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """With a cluster."""
    (tmp_path / "cluster").mkdir()
    keep_ports(tmp_path / "cluster", {"zookeeper": 20_001, "thrift": 20_002})
    return tmp_path


def test_the_cluster_of_the_data_folder(data: Path) -> None:
    assert hbase_addresses(HbaseSettings(), data) == HbaseAddresses("127.0.0.1:20001", "127.0.0.1", 20_002)


def test_settings_win(data: Path) -> None:
    settings = HbaseSettings(zookeeper="a:1,b:2", thrift="[::1]:9090")
    assert hbase_addresses(settings, data) == HbaseAddresses("a:1,b:2", "[::1]", 9090)


def test_without_both_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"hbase\.zookeeper.*adsindex cluster up"):
        hbase_addresses(HbaseSettings(), tmp_path)
    with pytest.raises(SettingsError, match=r"hbase\.thrift"):
        hbase_addresses(HbaseSettings(zookeeper="a:1"), tmp_path)


@pytest.mark.parametrize("thrift", ["host", "host:", ":9090", "host:port"])
def test_what_is_no_address_is_told(thrift: str, data: Path) -> None:
    with pytest.raises(SettingsError, match="is not HOST:PORT"):
        hbase_addresses(HbaseSettings(thrift=thrift), data)
