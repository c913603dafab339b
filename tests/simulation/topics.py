"""The topics of a run: notifications as the WAL proxy ships them, and the documents topic. They outlive all clients.

The proxy loses nothing, keeps no order, and sends a batch again when its answer was lost (wal-proxy.md, 5).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from proto.errors import UnavailableError
from repo.hbase.names import NOTIFICATIONS
from tests.simulation.faults.network import Network
from tests.simulation.scheduler import Process

SHIPPED_MS_MAX = 10.0
AGAIN = 0.1
"""How often what the write-ahead log holds comes a second time."""


class Shipped(NamedTuple):
    """A message as it lies in HBase: nobody has said yet whether its id is committed."""

    id: int
    table: str
    row: bytes
    payload: bytes


class Topics:
    """waiting: topic -> offset -> message that nobody has processed yet. documents: the documents topic."""

    def __init__(self, network: Network) -> None:
        self.waiting: dict[str, dict[int, Shipped]] = {}
        self.documents: list[bytes] = []
        self._network, self._shipped = network, 0

    def landed(self, table: str, version: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """Whatever lands in the family of notifications is shipped, each time it lands."""
        for row, columns in rows.items():
            for column, payload in columns.items():
                family, _, qualifier = column.partition(b":")
                if family == NOTIFICATIONS:
                    topic = qualifier.partition(b"\0")[0].decode()
                    self._ship(topic, Shipped(version, table, row, payload))

    def _ship(self, topic: str, message: Shipped) -> None:
        random, scheduler = self._network.scheduler.random, self._network.scheduler

        def arrives() -> None:
            self._shipped += 1
            self.waiting.setdefault(topic, {})[self._shipped] = message
            scheduler.trace.add("wal", "{} gets {} of {}", topic, self._shipped, message.id)

        for _ in range(2 if self._network.happens(AGAIN) else 1):
            scheduler.later(random.uniform(0.0, SHIPPED_MS_MAX), arrives)


class DocumentsTopic:
    """Of proto.ports.log.Log what a publisher needs, over a network with faults."""

    def __init__(self, topics: Topics, process: Process, network: Network) -> None:
        self._topics, self._process, self._network = topics, process, network

    def append(self, topic: str, partition: int, values: Sequence[bytes]) -> int:
        network, kept = self._network, self._topics.documents
        crashes = network.called(self._process)
        network.travel(self._process)
        if network.happens(network.plan.lost_request):
            raise UnavailableError(f"{topic}: it never arrived")
        first = len(kept)
        kept += values
        network.scheduler.trace.add(self._process.name, "appends {} to {}: {}", len(values), topic, first)
        if crashes:
            network.crash(self._process)
        network.travel(self._process)
        if network.happens(network.plan.lost_answer):
            raise UnavailableError(f"{topic}: no answer")
        return first

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        self._network.travel(self._process)
        return 0, len(self._topics.documents)
