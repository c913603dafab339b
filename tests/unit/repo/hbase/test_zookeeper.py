"""What HBase's master leaves in ZooKeeper."""

import pytest

from proto.errors import UnavailableError
from proto.wire.hbase_rpc_pb2 import Master, ServerName
from repo.hbase.zookeeper import find_master, parse_master

MASTER = b"PBUF" + Master(master=ServerName(host_name="node7", port=16000)).SerializeToString()


def test_with_and_without_the_wrapper() -> None:
    assert parse_master(MASTER) == ("node7", 16000)
    assert parse_master(b"\xff\x00\x00\x00\x0dmaster:160001" + MASTER) == ("node7", 16000)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\x00\x00\x00\x7fshort", b"PBUF\x00\x01", b"junk", MASTER[:-3]])
def test_what_makes_no_sense_is_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(UnavailableError, match="makes no sense"):
        parse_master(data)


def test_no_zookeeper() -> None:
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1.*look whether it runs"):
        find_master("127.0.0.1:1", timeout_s=0.2)
