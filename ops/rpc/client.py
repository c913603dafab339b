"""A client: rows to the Ingest service, a batch at a time, and again what was not answered; questions to Query."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from ops.rpc.packages import INGEST, QUERY, grpc, ingest_pb2, need_grpc, query_pb2
from proto.errors import SettingsError, UnavailableError

_encode_json = msgspec.json.Encoder().encode
_INT64_MAX = 2**63 - 1

MESSAGE_BYTES_MAX = 4_000_000
"""Of one batch: gRPC servers take 4 MiB."""


class SentRow(NamedTuple):
    """values: by column, as JSON has them; deleted: only the key counts; version 0: the server's time of arrival."""

    number: int
    values: Mapping[str, Any]
    version: int = 0
    deleted: bool = False


class Refusal(NamedTuple):
    """number: of the row that was not taken."""

    number: int
    column: str
    reason: str


class Client:
    """One connection to a server."""

    def __init__(self, address: str) -> None:
        """address: HOST:PORT. Raises SettingsError when gRPC is not installed."""
        need_grpc()
        self._channel = grpc.insecure_channel(address)
        self._address = address
        self._write = self._channel.stream_stream(
            f"/{INGEST}/Write", ingest_pb2.Batch.SerializeToString, ingest_pb2.Receipt.FromString
        )

    def ask(self, what: str, address: str, as_of: str = "", limit: int = 0) -> list[Any]:
        """what: "Document", "Trace" and so on. Empty: nothing is there. Raises SettingsError, UnavailableError."""
        method = self._channel.unary_unary(
            f"/{QUERY}/{what}", query_pb2.Question.SerializeToString, query_pb2.Answer.FromString
        )
        try:
            answer = method(query_pb2.Question(address=address, as_of=as_of, limit=limit))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return []
            raise self._explained(error) from None
        return [msgspec.json.decode(line) for line in answer.json.splitlines()]

    def send(
        self, table: str, source: str, batches: Iterable[Sequence[SentRow]], partial: bool = False
    ) -> Iterator[tuple[int, list[Refusal]]]:
        """(rows taken, those refused) of each batch, once it is durable.

        Raises UnavailableError when the server goes away: what was not answered may or may not be there, and sending it
        again, with its versions, does no harm. Raises SettingsError when the server can't understand a batch, or can't
        take a row because of its size.
        """
        sent: dict[int, Sequence[SentRow]] = {}

        def requests() -> Iterator[Any]:
            alike = (_fitting(table, source, rows, partial) for rows in _alike(batches))
            for sequence, (rows, batch) in enumerate(chain.from_iterable(alike), 1):
                sent[sequence] = rows
                batch.sequence = sequence
                yield batch

        try:
            for receipt in self._write(requests()):
                rows = sent.pop(receipt.sequence)
                yield receipt.taken, [Refusal(rows[one.row].number, one.column, one.reason) for one in receipt.refusals]
        except grpc.RpcError as error:
            raise self._explained(error) from None

    def close(self) -> None:
        self._channel.close()

    def _explained(self, error: Any) -> Exception:
        code, text = error.code(), error.details()
        if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED):
            return SettingsError(text)
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in text:  # else: too many streams
            return SettingsError(f"a row is too large to be sent: {text}; bring it with `adsindex backfill`")
        return UnavailableError(f"{self._address}: {code.name.lower().replace('_', ' ')}: {text}")


def retried(
    send: Callable[[Sequence[SentRow]], Iterator[tuple[int, list[Refusal]]]], rows: Sequence[SentRow],
    sleep: Callable[[float], object], attempts: int,
) -> tuple[int, list[Refusal]]:  # fmt: skip
    """Sends rows until they are answered, waiting longer each time. Raises what the last attempt raised."""
    for attempt in range(attempts):
        taken, refusals = 0, list[Refusal]()
        try:
            for count, refused in send(rows):
                taken += count
                refusals += refused
            return taken, refusals
        except UnavailableError:
            if attempt == attempts - 1:
                raise
            sleep(min(0.1 * 2**attempt, 2.0))
    raise ValueError("attempts must be above 0")


def _alike(batches: Iterable[Sequence[SentRow]]) -> Iterator[list[SentRow]]:
    """Rows in a row that name the same columns."""
    for rows in batches:
        run: list[SentRow] = []
        for row in rows:
            if run and row.values.keys() != run[0].values.keys():
                yield run
                run = []
            run.append(row)
        if run:
            yield run


def _fitting(
    table: str, source: str, rows: Sequence[SentRow], partial: bool
) -> Iterator[tuple[Sequence[SentRow], Any]]:
    """(rows, their message): one, or as many as it takes for none to be too large, but for a row that is so alone."""
    batch = _batch(table, source, rows, partial)
    if batch.ByteSize() <= MESSAGE_BYTES_MAX or len(rows) == 1:
        yield rows, batch
        return
    middle = len(rows) // 2
    yield from _fitting(table, source, rows[:middle], partial)
    yield from _fitting(table, source, rows[middle:], partial)


def _batch(table: str, source: str, rows: Sequence[SentRow], partial: bool) -> Any:
    columns = list(rows[0].values)
    return ingest_pb2.Batch(
        table=table,
        source=source,
        columns=columns,
        partial=partial,
        base64=True,
        rows=[
            ingest_pb2.Row(
                values=[_value(row.values[name]) for name in columns], version=row.version, deleted=row.deleted
            )
            for row in rows
        ],
    )


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return ingest_pb2.Value(truth=value)
    if isinstance(value, int) and -_INT64_MAX - 1 <= value <= _INT64_MAX:
        return ingest_pb2.Value(integer=value)
    if isinstance(value, int):
        return ingest_pb2.Value(text=str(value))
    if isinstance(value, float):
        return ingest_pb2.Value(floating=value)
    if isinstance(value, str):
        return ingest_pb2.Value(text=value)
    if isinstance(value, bytes):
        return ingest_pb2.Value(data=value)
    return ingest_pb2.Value() if value is None else ingest_pb2.Value(json=_encode_json(value).decode())
