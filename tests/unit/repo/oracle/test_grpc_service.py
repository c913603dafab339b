"""The service: rounds, who is answered while a round is under way, and what happens when it leads no more."""

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import grpc
import msgspec
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from proto.errors import FencedError, SettingsError
from proto.wire.oracle_pb2 import OracleQuestion, OracleStatus
from repo.api import OutcomeKind
from repo.oracle.frames import BeginRequest, Frame, Replies
from repo.oracle.grpc_service import SERVICE, OracleService
from repo.oracle.port import TIMESTAMP_STEP, CommitRequest, Fate, Resolution
from repo.oracle.wire import decode_replies, encode_frame
from tests.support.oracles import PATIENCE_S, Gate, MemoryStore, Served, served, until


class Stream:
    """A client's stream, by hand."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._sent: SimpleQueue[bytes] = SimpleQueue()
        self._frames: list[Frame] = []
        self._answers = channel.stream_stream(f"/{SERVICE}/Talk")(iter(self._sent.get, None), timeout=PATIENCE_S)

    def send(self, frame: Frame) -> "Stream":
        self._frames.append(frame)
        self._sent.put(encode_frame(frame))
        return self

    def send_bytes(self, data: bytes) -> None:
        self._sent.put(data)

    def answer(self) -> Replies:
        return decode_replies(next(self._answers), self._frames.pop(0))

    def ends_with(self) -> grpc.StatusCode:
        with pytest.raises(grpc.RpcError):
            next(self._answers)
        code: grpc.StatusCode = self._answers.code()
        return code


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def flushes(store: MemoryStore) -> Gate:
    return store.table.puts


@pytest.fixture
def leading(store: MemoryStore) -> Iterator[Served]:
    with served(store) as one:
        one.lead()
        yield one


@pytest.fixture
def channel(leading: Served) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(leading.address) as channel:
        yield channel


def _request(leading: Served, cell: int) -> CommitRequest:
    begun = leading.oracle.begin(BeginRequest())
    assert begun is not None
    return CommitRequest(begun.first_id, begun.snapshot, (cell,))


def _health(channel: grpc.Channel) -> Any:
    return health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=SERVICE)).status


def test_what_arrives_during_a_flush_is_the_next_one(leading: Served, channel: grpc.Channel, flushes: Gate) -> None:
    streams = [Stream(channel) for _ in range(9)]
    with flushes.held():
        streams[0].send(Frame(commits=[_request(leading, 0)]))
        assert flushes.arrived.acquire(timeout=PATIENCE_S)
        for number, stream in enumerate(streams[1:], start=1):
            stream.send(Frame(commits=[_request(leading, number)]))
        until(lambda: leading.service.waiting() == 8)
    decided = [stream.answer().commits[0] for stream in streams]
    assert {one.kind for one in decided} == {OutcomeKind.COMMITTED}
    assert len({one.timestamp for one in decided}) == 9
    assert flushes.sizes == [1, 8]
    assert leading.service.status()["rounds"]["commits"] == {"count": 2, "mean": 4.5, "max": 8}


def test_a_begin_waits_for_no_flush_and_does_not_see_it(leading: Served, channel: grpc.Channel, flushes: Gate) -> None:
    writer, reader = Stream(channel), Stream(channel)
    with flushes.held():
        writer.send(Frame(commits=[_request(leading, 1)]))
        assert flushes.arrived.acquire(timeout=PATIENCE_S)
        [during] = reader.send(Frame(begins=[BeginRequest(3)])).answer().begins
    [decision] = writer.answer().commits
    [after] = reader.send(Frame(begins=[BeginRequest()])).answer().begins
    assert during is not None and after is not None
    assert during.id_count == 3
    assert during.snapshot < decision.timestamp <= after.snapshot


def test_who_asks_for_what_is_long_past_holds_nobody_up(
    leading: Served, channel: grpc.Channel, store: MemoryStore
) -> None:
    asker, writer, request = Stream(channel), Stream(channel), _request(leading, 1)
    with store.table.look_ups.held():
        asker.send(Frame(resolves=[1], settles=[2]))
        assert store.table.look_ups.arrived.acquire(timeout=PATIENCE_S)
        [decision] = writer.send(Frame(commits=[request])).answer().commits
    assert decision.kind is OutcomeKind.COMMITTED
    assert asker.answer()[2:] == ([Resolution(Fate.ABORTED)], [Resolution(Fate.ABORTED)])


def test_a_begin_with_the_commit_in_its_hand_waits_for_it(
    leading: Served, channel: grpc.Channel, flushes: Gate
) -> None:
    writer, reader = Stream(channel), Stream(channel)
    request = _request(leading, 1)
    with flushes.held():
        writer.send(Frame(commits=[request]))
        assert flushes.arrived.acquire(timeout=PATIENCE_S)
        reader.send(Frame(begins=[BeginRequest(at_least=request.id + TIMESTAMP_STEP)]))
        until(lambda: leading.service.waiting() == 1)
    [decision] = writer.answer().commits
    [begun] = reader.answer().begins
    assert begun is not None and begun.snapshot >= decision.timestamp == request.id + TIMESTAMP_STEP


def test_what_it_has_not_given_out_it_does_not_reach(leading: Served, channel: grpc.Channel) -> None:
    frame = Frame(begins=[BeginRequest(), BeginRequest(at_least=2**62)])
    reached, refused = Stream(channel).send(frame).answer().begins
    assert reached is not None and refused is None


def test_a_frame_of_everything(leading: Served, channel: grpc.Channel) -> None:
    first, second, third = (_request(leading, cell) for cell in (1, 1, 2))
    frame = Frame([BeginRequest()], [first, second], resolves=[first.id, third.id], settles=[third.id])
    replies = Stream(channel).send(frame).answer()
    assert [one.kind for one in replies.commits] == [OutcomeKind.COMMITTED, OutcomeKind.CONFLICT]
    assert replies.resolves[0].fate is Fate.COMMITTED
    assert replies.settles[0].fate is Fate.ABORTED
    [late] = Stream(channel).send(Frame(commits=[third])).answer().commits
    assert late.kind is not OutcomeKind.COMMITTED, "it was settled: refused for ever"


def test_hundreds_of_streams(leading: Served, channel: grpc.Channel, flushes: Gate) -> None:
    streams = [Stream(channel) for _ in range(300)]
    timestamps: list[int] = []
    for _ in range(3):
        begun = [stream.send(Frame(begins=[BeginRequest()])).answer().begins[0] for stream in streams]
        for stream, one in zip(streams, begun, strict=True):
            assert one is not None
            stream.send(Frame(commits=[CommitRequest(one.first_id, one.snapshot, (one.first_id,))]))
        timestamps += [stream.answer().commits[0].timestamp for stream in streams]
    assert 0 not in timestamps and len(set(timestamps)) == sum(flushes.sizes) == 900
    assert len(flushes.sizes) < 900, "nobody had a flush of his own"


def test_health_is_serving_while_it_leads(channel: grpc.Channel, leading: Served) -> None:
    Stream(channel).send(Frame(begins=[BeginRequest()])).answer()
    assert _health(channel) == health_pb2.HealthCheckResponse.SERVING
    leading.step_down()
    assert _health(channel) == health_pb2.HealthCheckResponse.NOT_SERVING


def test_who_does_not_lead_answers_nothing(channel: grpc.Channel, leading: Served) -> None:
    stream = Stream(channel).send(Frame(begins=[BeginRequest()]))
    stream.answer()
    leading.step_down()
    assert stream.send(Frame(begins=[BeginRequest()])).ends_with() is grpc.StatusCode.UNAVAILABLE


def test_the_last_round_is_answered_and_nothing_after_it(channel: grpc.Channel, leading: Served, flushes: Gate) -> None:
    first, second = Stream(channel), Stream(channel)
    with flushes.held():
        first.send(Frame(commits=[_request(leading, 1)]))
        assert flushes.arrived.acquire(timeout=PATIENCE_S)
        second.send(Frame(commits=[_request(leading, 2)]))
        until(lambda: leading.service.waiting() == 1)
        leading.wanted = False
    assert first.answer().commits[0].kind is OutcomeKind.COMMITTED
    assert second.ends_with() is grpc.StatusCode.UNAVAILABLE
    assert flushes.sizes == [1]


def test_a_former_leader_commits_nothing_answers_nothing_and_stops(channel: grpc.Channel, leading: Served) -> None:
    request = _request(leading, 1)
    with served(leading.store) as successor:
        successor.lead()
        assert Stream(channel).send(Frame(commits=[request])).ends_with() is grpc.StatusCode.UNAVAILABLE
        leading.thread.join(PATIENCE_S)
        assert isinstance(leading.error, FencedError)
        with grpc.insecure_channel(successor.address) as other:
            [settled] = Stream(other).send(Frame(settles=[request.id])).answer().settles
        assert settled.fate is Fate.ABORTED


def test_bytes_that_are_no_frame_end_the_stream_and_nothing_else(channel: grpc.Channel) -> None:
    other = Stream(channel).send(Frame(begins=[BeginRequest()]))
    other.answer()
    for data in (b"\xff\xff\xff", b"\x0a\x01\x01"):
        stream = Stream(channel)
        stream.send_bytes(data)
        assert stream.ends_with() is grpc.StatusCode.INVALID_ARGUMENT
    other.send(Frame(begins=[BeginRequest()])).answer()


def test_status_is_answered_by_any(channel: grpc.Channel, leading: Served) -> None:
    ask = channel.unary_unary(f"/{SERVICE}/Status", OracleQuestion.SerializeToString, OracleStatus.FromString)
    Stream(channel).send(Frame(begins=[BeginRequest()])).answer()
    assert msgspec.json.decode(ask(OracleQuestion()).json)["leads"] is True
    leading.step_down()
    assert msgspec.json.decode(ask(OracleQuestion()).json)["leads"] is False


def test_a_port_that_is_taken_is_told(leading: Served) -> None:
    port = int(leading.address.rpartition(":")[2])
    with pytest.raises(SettingsError, match=r"oracle\.port.*taken"):
        OracleService().start("127.0.0.1", port)
