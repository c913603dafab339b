"""gRPC and the generated messages; all None where the extra `rpc` is not installed."""

from proto.errors import SettingsError

try:
    import grpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    from proto.wire import ingest_pb2, query_pb2
except ImportError:
    grpc = health = health_pb2 = health_pb2_grpc = None
    ingest_pb2 = query_pb2 = None  # type: ignore[assignment]

__all__ = ["grpc", "health", "health_pb2", "health_pb2_grpc", "ingest_pb2", "query_pb2"]

INGEST, QUERY = "adsindex.v1.Ingest", "adsindex.v1.Query"


def need_grpc() -> None:
    """Raises SettingsError when it is not installed."""
    if grpc is None:
        raise SettingsError("RPC needs gRPC: pip install 'adsindex[rpc]'")
