"""Where HBase's master is, as ZooKeeper knows it, by kazoo."""

from google.protobuf.message import DecodeError
from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError

from proto.errors import UnavailableError
from proto.wire.hbase_rpc_pb2 import Master

_WRAPPED = 0xFF
_MAGIC = b"PBUF"


def find_master(hosts: str, timeout_s: float = 10.0, path: str = "/hbase/master") -> tuple[str, int]:
    """(host, port). hosts: `host:port,host:port` of ZooKeeper. Raises UnavailableError."""
    client = KazooClient(hosts=hosts, timeout=timeout_s)
    try:
        client.start(timeout=timeout_s)
        data, _ = client.get_async(path).get(timeout=timeout_s)
    except NoNodeError as error:
        raise UnavailableError(f"ZooKeeper at {hosts} has no {path}: no HBase master runs. Start it") from error
    except (KazooException, KazooTimeoutError) as error:
        raise UnavailableError(f"no answer from ZooKeeper at {hosts} ({error!r}); look whether it runs") from error
    finally:
        client.stop()
        client.close()
    return parse_master(data)


def parse_master(data: bytes) -> tuple[str, int]:
    """(host, port) of what HBase keeps there: 0xFF, length of an id and the id (hbase-zookeeper's ZKMetadata), then
    "PBUF" and a Master. Raises UnavailableError: a master that is just writing it is soon done."""
    payload = data[5 + int.from_bytes(data[1:5], "big") :] if data and data[0] == _WRAPPED else data
    try:
        if not payload.startswith(_MAGIC):
            raise DecodeError(f"it does not begin with {_MAGIC!r}")
        name = Master.FromString(payload.removeprefix(_MAGIC)).master
    except DecodeError as error:
        raise UnavailableError(f"what ZooKeeper keeps about HBase's master makes no sense: {error}") from error
    return name.host_name, name.port
