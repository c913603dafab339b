"""The oracle as a gRPC service: a stream a client, and one thread that answers all of them in rounds."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, NamedTuple

import grpc
import msgspec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from proto.errors import FencedError, SettingsError, UnavailableError
from proto.wire.oracle_pb2 import OracleQuestion, OracleStatus
from repo.oracle.frames import Decided, Frame, Replies
from repo.oracle.oracle import Oracle
from repo.oracle.rounds import Sizes, merged, shares
from repo.oracle.wire import decode_frame, encode_failure, encode_replies

SERVICE = "adsindex.v1.Oracle"
STREAMS_MAX = 1024
"""Clients at once: each stream keeps a thread. More are refused with RESOURCE_EXHAUSTED."""
LOOK_UPS = 4
"""At a time, beside the rounds: each thread keeps a connection to the store."""
MESSAGE_BYTES_MAX = 64 * 1024 * 1024

_GRACE_S = 0.2
_NOT_LEADING = "this oracle does not lead"

_encode_json = msgspec.json.Encoder().encode


_Answer = tuple[Oracle, Decided] | UnavailableError | None


class _Asked(NamedTuple):
    """answers: where its stream waits; None means that there will be none."""

    frame: Frame
    answers: "SimpleQueue[_Answer]"


class OracleService:
    """Bound and ready from `start` to `stop`; answers while some thread is in `lead`."""

    def __init__(self, more_status: Callable[[], Mapping[str, Any]] = dict) -> None:
        """more_status: what else Status tells."""
        self._more_status = more_status
        self._lock = threading.Lock()
        self._leading: Oracle | None = None
        self._inbox: SimpleQueue[_Asked | None] = SimpleQueue()
        self._frames, self._commits = Sizes(), Sizes()
        self._look_ups = ThreadPoolExecutor(LOOK_UPS, "oracle-look-ups")
        self._health = health.HealthServicer()
        self._server = grpc.server(
            ThreadPoolExecutor(STREAMS_MAX, "oracle"),
            maximum_concurrent_rpcs=STREAMS_MAX,
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)],
        )
        self._server.add_generic_rpc_handlers((self._handlers(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._turn(None)

    def start(self, host: str, port: int) -> str:
        """Port 0: one that is free. Returns the address. Raises SettingsError when it can't be had."""
        try:
            bound = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError:
            bound = 0
        if not bound:
            raise SettingsError(f"oracle.port: {host}:{port} is taken; choose another port, or 0 for a free one")
        self._server.start()
        return f"{host}:{bound}"

    def lead(self, oracle: Oracle, wanted: Callable[[], bool]) -> None:
        """Answers in rounds as long as it is wanted (see `look`). Raises FencedError; who waits then gets no answer.

        What was taken into the last round is still answered: it is durable, whoever leads now.
        """
        self._turn(oracle)
        asked: list[_Asked] = []
        try:
            while wanted():
                asked = self._take()
                self._answer(oracle, asked)
        except BaseException:
            _leave_alone(asked)
            raise
        finally:
            self._turn(None)
            _leave_alone(self._waiting())

    def look(self) -> None:
        """From any thread: `lead` is to ask again whether it is wanted."""
        self._inbox.put(None)

    def waiting(self) -> int:
        """Frames that no round has taken yet."""
        return self._inbox.qsize()

    def stop(self) -> None:
        """After `lead` has ended."""
        self._server.stop(_GRACE_S).wait()
        self._look_ups.shutdown(cancel_futures=True)

    def status(self) -> dict[str, Any]:
        """frames: of clients, in a round; commits: in a round, and so made durable together."""
        rounds = {"frames": self._frames.as_dict(), "commits": self._commits.as_dict()}
        return {"leads": self._leading is not None, **self._more_status(), "waiting": self.waiting(), "rounds": rounds}

    def _turn(self, leading: Oracle | None) -> None:
        with self._lock:
            self._leading = leading
        serving = health_pb2.HealthCheckResponse
        for name in ("", SERVICE):
            self._health.set(name, serving.NOT_SERVING if leading is None else serving.SERVING)

    def _take(self) -> list[_Asked]:
        """All that waits, at least one; none when it is to step down."""
        first = self._inbox.get()
        return [*([] if first is None else [first]), *self._waiting()]

    def _waiting(self) -> list[_Asked]:
        taken = []
        while not self._inbox.empty():
            taken.append(self._inbox.get())
        return [one for one in taken if one is not None]

    def _answer(self, oracle: Oracle, asked: list[_Asked]) -> None:
        frames = [one.frame for one in asked]
        frame = merged(frames)
        self._frames.add(len(frames))
        self._commits.add(len(frame.commits))
        try:
            for one, decided in zip(asked, shares(oracle.frame(frame), frames), strict=True):
                one.answers.put((oracle, decided))
        except UnavailableError as error:
            for one in asked:
                one.answers.put(error)

    def _talk(self, frames: Iterator[bytes], context: Any) -> Iterator[bytes]:
        """A client's stream, in a thread of its own."""
        answers: SimpleQueue[_Answer] = SimpleQueue()
        for data in frames:
            frame = _decoded(data, context)
            replies = self._begun(frame)
            if replies is not None:
                yield encode_replies(replies)
                continue
            answer = answers.get() if self._offer(_Asked(frame, answers)) else None
            if answer is not None:
                yield self._encoded(frame, answer)
            else:
                context.abort(grpc.StatusCode.UNAVAILABLE, _NOT_LEADING)

    def _encoded(self, frame: Frame, answer: tuple[Oracle, Decided] | UnavailableError) -> bytes:
        if isinstance(answer, UnavailableError):
            return encode_failure(str(answer))
        oracle, decided = answer
        if decided.is_all:
            return encode_replies(oracle.replies(frame, decided))
        try:
            return encode_replies(self._look_ups.submit(oracle.replies, frame, decided).result())
        except UnavailableError as error:
            return encode_failure(str(error))

    def _begun(self, frame: Frame) -> Replies | None:
        """Begins alone wait for no round: they are answered from memory."""
        oracle = self._leading
        if oracle is None or any(frame[1:]):
            return None
        try:
            begun = [oracle.begin(request) for request in frame.begins]
        except FencedError:
            return None
        return None if None in begun else Replies(begun, [], [], [])

    def _offer(self, asked: _Asked) -> bool:
        with self._lock:  # nothing comes into the inbox after `lead` has emptied it
            if self._leading is not None:
                self._inbox.put(asked)
            return self._leading is not None

    def _status(self, question: Any, context: Any) -> Any:
        return OracleStatus(json=_encode_json(self.status()).decode())

    def _handlers(self) -> Any:
        decode, encode = OracleQuestion.FromString, OracleStatus.SerializeToString
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Talk": grpc.stream_stream_rpc_method_handler(self._talk),
                "Status": grpc.unary_unary_rpc_method_handler(self._status, decode, encode),
            },
        )


def _decoded(data: bytes, context: Any) -> Frame:
    try:
        return decode_frame(data)
    except Exception as error:  # DecodeError is protobuf's, and derives from nothing narrower
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"not a frame: {error}")
        raise


def _leave_alone(asked: list[_Asked]) -> None:
    """Their streams end: whoever leads now settles what they asked."""
    for one in asked:
        one.answers.put(None)
