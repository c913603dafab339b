"""The server: Ingest, Query and health, on this machine only."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ops.rpc.ingest import Ingest
from ops.rpc.packages import INGEST, QUERY, grpc, health, health_pb2, health_pb2_grpc, ingest_pb2, need_grpc, query_pb2
from ops.rpc.query import Answer, methods
from proto.errors import SettingsError

STREAMS_MAX = 32
"""Calls at once: each stream keeps a thread. More are refused with RESOURCE_EXHAUSTED."""

_GRACE_S = 1.0


class RpcServer:
    """Threads beside the loop, from `start` to `stop`."""

    def __init__(self, ingest: Ingest, answers: Mapping[str, Answer]) -> None:
        """Raises SettingsError when gRPC is not installed."""
        need_grpc()
        self._health = health.HealthServicer()
        self._server = grpc.server(
            ThreadPoolExecutor(STREAMS_MAX, "rpc"),
            maximum_concurrent_rpcs=STREAMS_MAX,
            options=[("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((_ingest(ingest), _query(answers)))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._tell(health_pb2.HealthCheckResponse.SERVING)

    def start(self, port: int) -> str:
        """Port 0: one that is free. Returns the address. Raises SettingsError when the port is taken."""
        try:
            bound = self._server.add_insecure_port(f"127.0.0.1:{port}")
        except RuntimeError:
            bound = 0
        if not bound:
            raise SettingsError(f"--rpc {port}: the port is taken; choose another, or 0 for a free one")
        self._server.start()
        return f"127.0.0.1:{bound}"

    def stop(self) -> None:
        """Calls that are under way get a moment to end."""
        self._tell(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.stop(_GRACE_S).wait()

    def _tell(self, state: Any) -> None:
        for service in ("", INGEST, QUERY):
            self._health.set(service, state)


def _ingest(ingest: Ingest) -> Any:
    decode, encode = ingest_pb2.Batch.FromString, ingest_pb2.Receipt.SerializeToString
    return grpc.method_handlers_generic_handler(
        INGEST, {"Write": grpc.stream_stream_rpc_method_handler(ingest.write, decode, encode)}
    )


def _query(answers: Mapping[str, Answer]) -> Any:
    decode, encode = query_pb2.Question.FromString, query_pb2.Answer.SerializeToString
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(method, decode, encode) for name, method in methods(answers).items()
    }
    return grpc.method_handlers_generic_handler(QUERY, handlers)
