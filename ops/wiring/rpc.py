"""RPC of a process: the inlet that stands first in its pass of edits, and the server's threads beside its loop."""

from collections.abc import Callable, Mapping, Sequence

from argus.registry import Application
from ops.rpc.ingest import Ingest
from ops.rpc.inlet import Inlet
from ops.rpc.query import Answer
from ops.rpc.server import RpcServer
from ops.topics import CONSUMED
from ops.wiring.store import Store
from proto.ports.log import Log


class Rpc:
    """inlet: a step; `start` once the process is put together, `stop` when its loop has ended."""

    def __init__(
        self, store: Store, application: Application, sources: Sequence[str], answers: Mapping[str, Answer]
    ) -> None:
        """Raises SettingsError when gRPC is not installed."""
        settings = store.settings
        rows_max = settings.gateway.feed_unit_rows_max
        has_room = _has_room(store.log, settings.gateway.feed_ahead_rows // rows_max)
        self.inlet = Inlet(store.log, has_room, store.bell.wake, store.clock, settings.engine)
        ingest = Ingest(application.flows, sources, self.inlet, store.clock.now_ms, rows_max)
        self._server = RpcServer(ingest, answers)

    def start(self, port: int) -> str:
        """Returns the address. Raises SettingsError when the port is taken."""
        return self._server.start(port)

    def stop(self) -> None:
        """Who still waits is told to send again."""
        self.inlet.close()
        self._server.stop()


def _has_room(log: Log, messages_max: int) -> Callable[[], bool]:
    """Whether fewer messages than that wait in front of each stage: rows that wait in the log are bounded."""
    consumers = {consumer: [one.topic for one in CONSUMED if one.consumer == consumer] for _, consumer, _ in CONSUMED}

    def has_room() -> bool:
        for consumer, topics in consumers.items():
            ends = log.ends(topics).items()
            if sum(end - log.position(consumer, *place) for place, end in ends) >= messages_max:
                return False
        return True

    return has_room
