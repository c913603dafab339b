"""The oracle by gRPC: one frame under way, which carries everything that waited in all threads; follows the leader.

What was lost with a stream: commits are answered UNKNOWN and never sent again (F5), the rest is asked again. Never fork
after importing this: gRPC has threads.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import grpc

from proto.errors import InvalidMessageError, UnavailableError
from repo.api import OutcomeKind
from repo.oracle.frames import BeginRequest, Frame, Replies, require_write_sets
from repo.oracle.leader import Leader, Leaders
from repo.oracle.port import Begun, CommitRequest, Decision, Resolution
from repo.oracle.rounds import merged, shares
from repo.oracle.wire import decode_replies, encode_frame

DEADLINE_S = 10.0
CELLS_MAX = 1_000_000
"""Of one commit."""

_FRAME_MAX = 100_000  # ids and cells: 800 KB, and some 50 ms of the oracle's time
_MESSAGE_BYTES_MAX = 64 * 1024 * 1024
_LOOK_S = 0.05
_CONNECT_LOOKS = 40
_TALK = "/adsindex.v1.Oracle/Talk"
_OPTIONS = [
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),  # a new channel connects at once, whatever befell the one before
    ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", _MESSAGE_BYTES_MAX),
]


class GrpcOracle:
    """repo.oracle.port.TimestampOracle. One for a process, for all its threads; `close` it."""

    def __init__(self, leaders: Leaders, deadline_s: float = DEADLINE_S) -> None:
        """deadline_s: how long any call waits for its answer, failover included."""
        self._leaders, self._deadline_s = leaders, deadline_s
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._talk: _Talk | None = None
        self._closed = False
        leaders.subscribe(self._follow)
        self._thread = threading.Thread(target=self._run, name="oracle-client", daemon=True)
        self._thread.start()

    def begin(self, count: int = 1, at_least: int = 0) -> list[Begun]:
        [begun] = self._ask(Frame(begins=[BeginRequest(count, at_least)])).begins
        if begun is None:
            raise UnavailableError(f"this oracle doesn't reach {at_least}: it may be a former leader; try again")
        return begun.expanded()

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        require_write_sets(requests)
        decisions: list[Decision] = []
        for part in _parts(requests):
            try:
                decisions += self._ask(Frame(commits=part)).commits
            except UnavailableError:
                decisions += [Decision(OutcomeKind.UNKNOWN)] * len(part)
        return decisions

    def resolve(self, ids: Sequence[int]) -> list[Resolution]:
        return [
            one
            for start in range(0, len(ids), _FRAME_MAX)
            for one in self._ask(Frame(resolves=ids[start : start + _FRAME_MAX])).resolves
        ]

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        return [
            one
            for start in range(0, len(ids), _FRAME_MAX)
            for one in self._ask(Frame(settles=ids[start : start + _FRAME_MAX])).settles
        ]

    def waiting(self) -> int:
        """Calls that no frame has taken yet."""
        return len(self._waiting)

    def close(self) -> None:
        """What is under way is given up."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            if self._talk is not None:
                self._talk.cancel()
        self._thread.join(self._deadline_s)

    def _ask(self, frame: Frame) -> Replies:
        """Waits, at most until the deadline. Raises UnavailableError."""
        call = _Call(frame)
        with self._changed:
            if self._closed:
                raise UnavailableError("this client of the oracle is closed")
            self._waiting.append(call)
            self._changed.notify()
        if not call.done.wait(self._deadline_s):
            self._give_up(call)
        if call.replies is None:
            raise UnavailableError(call.failure or self._no_answer())
        return call.replies

    def _give_up(self, call: "_Call") -> None:
        """It is never sent if it was not yet; otherwise the frame that it is in is lost, for the others too."""
        with self._changed:
            if call in self._waiting:
                self._waiting.remove(call)
            elif not call.done.is_set() and self._talk is not None:
                self._talk.cancel()

    def _no_answer(self) -> str:
        leader = self._leaders.current()
        if leader is None:
            return f"no oracle leads, for {self._deadline_s:g} s now; start one: adsindex run --role oracle"
        return f"the oracle at {leader.address} did not answer within {self._deadline_s:g} s; try again"

    def _run(self) -> None:
        """The thread: a frame, its answer, the next frame."""
        while self._await_calls():
            talk = self._connected()
            if talk is not None:
                self._exchange(talk, self._take())
        self._hang_up()

    def _await_calls(self) -> bool:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            return not self._closed

    def _follow(self) -> None:
        """A former leader may never answer what it was asked, and goes on listening: don't wait for it."""
        with self._changed:
            if self._talk is not None and self._leaders.current() not in (None, self._talk.leader):
                self._talk.cancel()
            self._changed.notify()

    def _connected(self) -> "_Talk | None":
        """A stream to the newest leader; None: there is none just now."""
        talk, leader = self._talk, self._leaders.current()
        if talk is not None and (talk.broken or leader not in (None, talk.leader)):
            self._hang_up()
            talk = None
        if talk is None and leader is not None:
            talk = _Talk.open(leader, lambda: self._leaders.current() == leader and not self._closed)
        with self._changed:
            self._talk = talk
            if talk is None:
                self._changed.wait(_LOOK_S)
        return talk

    def _hang_up(self) -> None:
        with self._changed:
            talk, self._talk = self._talk, None
        if talk is not None:
            talk.close()

    def _take(self) -> list["_Call"]:
        """What waits, from the front, as much as fits one frame."""
        with self._changed:
            size, end = 0, 0
            while end < len(self._waiting) and (end == 0 or size + self._waiting[end].size <= _FRAME_MAX):
                size += self._waiting[end].size
                end += 1
            taken, self._waiting = self._waiting[:end], self._waiting[end:]
            return taken

    def _exchange(self, talk: "_Talk", calls: list["_Call"]) -> None:
        frames = [call.frame for call in calls]
        frame = merged(frames)
        try:
            replies = decode_replies(talk.exchange(encode_frame(frame)), frame)
        except (UnavailableError, ValueError) as error:
            self._lost(calls, str(error))
            return
        for call, share in zip(calls, shares(replies, frames), strict=True):
            call.settle(share)

    def _lost(self, calls: list["_Call"], reason: str) -> None:
        """Commits are never sent again; what changes nothing when repeated is asked again, before all that waits."""
        for call in calls:
            if call.frame.commits:
                call.settle(None, reason)
        with self._changed:
            self._waiting = [call for call in calls if not call.frame.commits] + self._waiting
            self._changed.wait(_LOOK_S)


class _Call:
    """What one thread asks, and waits for. replies None when it is done: there are none, and `failure` says why."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.size = _size(frame)
        self.done = threading.Event()
        self.replies: Replies | None = None
        self.failure = ""

    def settle(self, replies: Replies | None, failure: str = "") -> None:
        self.replies, self.failure = replies, failure
        self.done.set()


class _Talk:
    """A stream to one leader."""

    def __init__(self, leader: Leader, channel: Any) -> None:
        self.leader, self._channel = leader, channel
        self.broken = False
        self._frames: SimpleQueue[bytes | None] = SimpleQueue()
        self._answers = channel.stream_stream(_TALK)(iter(self._frames.get, None))

    @classmethod
    def open(cls, leader: Leader, wanted: Callable[[], bool]) -> "_Talk | None":
        """Tries as long as it is wanted, a while at most. None: nobody listens there, and nothing was sent."""
        channel = grpc.insecure_channel(leader.address, options=_OPTIONS)
        ready = grpc.channel_ready_future(channel)
        for _ in range(_CONNECT_LOOKS):
            try:
                ready.result(timeout=_LOOK_S)
                return cls(leader, channel)
            except grpc.FutureTimeoutError:
                if not wanted():
                    break
        ready.cancel()
        channel.close()
        return None

    def exchange(self, frame: bytes) -> bytes:
        """Raises UnavailableError when the stream breaks; then it is `broken`."""
        self._frames.put(frame)
        try:
            answer: bytes = next(self._answers)
            return answer
        except StopIteration:
            self.broken = True
            raise UnavailableError("the oracle ended the stream") from None
        except grpc.RpcError as error:
            self.broken = True
            raise UnavailableError(f"the oracle at {self.leader.address}: {error.details()}") from None

    def cancel(self) -> None:
        """From any thread: `exchange` raises."""
        self._answers.cancel()

    def close(self) -> None:
        self._frames.put(None)
        self._answers.cancel()
        self._channel.close()


def _size(frame: Frame) -> int:
    commits = sum(4 + len(request.written) + len(request.checked) for request in frame.commits)
    return 2 * len(frame.begins) + commits + len(frame.resolves) + len(frame.settles)


def _parts(requests: Sequence[CommitRequest]) -> Iterator[list[CommitRequest]]:
    """As many in a row as fit one frame. Raises InvalidMessageError for one that never will, before any is sent."""
    for request in requests:
        if len(request.written) + len(request.checked) > CELLS_MAX:
            raise InvalidMessageError(f"transaction {request.id} has more than {CELLS_MAX:,} cells; split it")
    part: list[CommitRequest] = []
    size = 0
    for request in requests:
        more = 4 + len(request.written) + len(request.checked)
        if part and size + more > _FRAME_MAX:
            yield part
            part, size = [], 0
        part.append(request)
        size += more
    if part:
        yield part
