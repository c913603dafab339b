"""The configuration of the servers as text, and the kits that there are."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from ops.cluster.hbase import HBASE
from ops.cluster.kits import KITS, chosen
from proto.errors import SettingsError

PORTS = {"zookeeper": 21_000, "master": 21_001, "regionserver": 21_002, "thrift": 21_003}


def site(folder: Path) -> dict[str, str]:
    root = ElementTree.fromstring(HBASE.files(folder, PORTS)["hbase-site.xml"])
    return {one.findtext("name", ""): one.findtext("value", "") for one in root}


def test_every_port_of_the_servers_is_configured() -> None:
    settings = site(Path("/srv/x"))
    assert {name for server in HBASE.servers for name in server.ports} == PORTS.keys()
    for name, port in PORTS.items():
        assert any(str(port) == value for value in settings.values()), name


def test_a_folder_may_be_called_anything() -> None:
    settings = site(Path("/srv/it's <here> & there"))
    assert settings["hbase.rootdir"] == "file:///srv/it%27s%20%3Chere%3E%20%26%20there/hbase"
    assert settings["hbase.tmp.dir"] == "/srv/it's <here> & there/tmp"


def test_versions_are_in_the_pom_alone() -> None:
    pom = ElementTree.parse(HBASE.pom)
    spaces = {"m": "http://maven.apache.org/POM/4.0.0"}
    written = [one.text or "" for one in pom.findall(".//m:dependency/m:version", spaces)]
    assert written
    assert all(one.startswith("${") for one in written)


def test_kits_are_chosen_by_name() -> None:
    assert chosen(()) == KITS
    assert chosen(("hbase", "hbase")) == (HBASE,)
    with pytest.raises(SettingsError, match="--only kafkaesque: there is hbase"):
        chosen(("hbase", "kafkaesque"))
