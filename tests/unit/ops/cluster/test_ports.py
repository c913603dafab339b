"""Ports are free, stay the same, and differ between clusters; real sockets take them away."""

import json
import socket
from pathlib import Path

from ops.cluster.ports import choose_ports, keep_ports, kept_ports

NAMES = ("zookeeper", "master", "thrift")


def test_ports_differ_and_are_below_those_of_clients(tmp_path: Path) -> None:
    chosen = choose_ports(NAMES, {}, (), tmp_path)
    assert tuple(chosen) == NAMES
    assert len(set(chosen.values())) == 3
    assert all(20_000 <= port < 32_768 for port in chosen.values())


def test_a_cluster_has_the_same_ports_again(tmp_path: Path) -> None:
    chosen = choose_ports(NAMES, {}, (), tmp_path)
    assert choose_ports(NAMES, chosen, (), tmp_path) == chosen
    assert choose_ports(reversed(NAMES), chosen, (), Path("/srv/moved")) == chosen


def test_a_port_that_somebody_else_took_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    kept = choose_ports(NAMES, {}, (), tmp_path)
    with socket.create_server(("127.0.0.1", kept["master"])):
        chosen = choose_ports(NAMES, kept, (), tmp_path)
    assert chosen["master"] not in kept.values()
    assert (chosen["zookeeper"], chosen["thrift"]) == (kept["zookeeper"], kept["thrift"])


def test_a_server_that_runs_keeps_its_port(tmp_path: Path) -> None:
    kept = choose_ports(NAMES, {}, (), tmp_path)
    with socket.create_server(("127.0.0.1", kept["master"])):
        assert choose_ports(NAMES, kept, ("master",), tmp_path) == kept


def test_a_server_on_all_interfaces_is_in_the_way_too(tmp_path: Path) -> None:
    kept = choose_ports(NAMES, {}, (), tmp_path)
    with socket.create_server(("0.0.0.0", kept["thrift"])):
        assert choose_ports(NAMES, kept, (), tmp_path)["thrift"] != kept["thrift"]


def test_clusters_in_two_folders_look_in_different_places() -> None:
    here, there = (choose_ports(NAMES, {}, (), Path(folder)) for folder in ("/srv/here", "/srv/there"))
    assert not set(here.values()) & set(there.values())


def test_who_reads_while_ports_are_written_finds_the_old_ones_or_the_new_ones(tmp_path: Path) -> None:
    assert kept_ports(tmp_path) == {}
    keep_ports(tmp_path, {"thrift": 20_001})
    with (tmp_path / "ports.json").open("rb") as reading:
        keep_ports(tmp_path, {"thrift": 20_002})
        assert json.loads(reading.read()) == {"thrift": 20_001}
    assert kept_ports(tmp_path) == {"thrift": 20_002}
