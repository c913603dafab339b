"""A stream to the oracle that leads, with one frame under way, which carries everything that waited in all threads.

Who finds the stream idle sends his frame himself, and waits for the answer: each thread in between is two more to wake.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import grpc

from proto.errors import InvalidMessageError, UnavailableError
from repo.oracle.frames import Frame, Replies
from repo.oracle.leader import Leader, Leaders
from repo.oracle.rounds import merged, shares
from repo.oracle.wire import decode_replies, encode_frame

FRAME_MAX = 100_000
"""Ids and cells: 800 KB, and some 50 ms of the oracle's time. Only a single request may be larger."""

_MESSAGE_BYTES_MAX = 64 * 1024 * 1024
_LOOK_S = 0.05
_WATCHES_A_DEADLINE = 4
_CONNECT_LOOKS = 40
_TALK = "/adsindex.v1.Oracle/Talk"
_OPTIONS = [
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),  # a new channel connects at once, whatever befell the one before
    ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", _MESSAGE_BYTES_MAX),
]


class Lane:
    """Its thread sends what others have left waiting, and looks after the stream: to another leader when one is
    published, and that nobody waits for an answer for ever."""

    def __init__(self, name: str, leaders: Leaders, deadline_s: float) -> None:
        """deadline_s: how long `ask` waits for an answer, failover included."""
        self._leaders, self._deadline_s = leaders, deadline_s
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._talk: _Talk | None = None
        self._busy = False  # a frame is under way
        self._direct: _Call | None = None  # it is this one's, in the thread that asks
        self._closed = False
        leaders.subscribe(self._follow)
        self._thread = threading.Thread(target=self._run, name=f"oracle-{name}", daemon=True)
        self._thread.start()

    def ask(self, frame: Frame) -> Replies:
        """Waits, at most until the deadline. Raises UnavailableError when there is no answer, InvalidMessageError for
        what can't be asked."""
        try:
            call = _Call(frame)
        except (ValueError, TypeError) as error:
            raise InvalidMessageError(f"{error}: ids and timestamps are numbers of 64 bits, not below 0") from error
        with self._changed:
            if self._closed:
                raise UnavailableError("this client of the oracle is closed")
            idle = self._idle()
            if idle is not None:
                self._busy, self._direct = True, call
            else:
                self._waiting.append(call)
                if not self._busy:
                    self._changed.notify()
        if idle is not None:
            self._alone(idle, call)
        if not call.done.wait(self._deadline_s):
            self._give_up(call)
        if call.replies is None:
            raise UnavailableError(call.failure or self._no_answer())
        return call.replies

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

    def _follow(self) -> None:
        """A former leader may never answer what it was asked, and goes on listening: don't wait for it."""
        with self._changed:
            if self._talk is not None and self._leaders.current() not in (None, self._talk.leader):
                self._talk.cancel()
            self._changed.notify()

    def _idle(self) -> "_Talk | None":
        """The stream, if it is good and nobody uses it."""
        talk = self._talk
        if talk is None or talk.broken or self._busy or self._waiting or self._closed:
            return None
        return talk if self._leaders.current() in (None, talk.leader) else None

    def _alone(self, talk: "_Talk", call: "_Call") -> None:
        try:
            self._exchange(talk, [call])
        finally:  # the asking thread may be interrupted
            with self._changed:
                self._busy, self._direct = False, None
                if self._waiting:
                    self._changed.notify()

    def _run(self) -> None:
        while self._await_calls():
            talk = self._connected()
            if talk is not None:
                self._exchange(talk, self._take())
            with self._changed:
                self._busy = False
        self._hang_up()

    def _await_calls(self) -> bool:
        """Until something waits, and nobody uses the stream. Whoever uses it can't look at his own deadline."""
        with self._changed:
            looks = 0
            while (self._busy or not self._waiting) and not self._closed:
                direct = self._direct
                told = self._changed.wait(self._deadline_s / _WATCHES_A_DEADLINE)
                looks = looks + 1 if not told and direct is not None and direct is self._direct else 0
                if looks == _WATCHES_A_DEADLINE and self._talk is not None:
                    self._talk.cancel()
            self._busy = not self._closed
            return not self._closed

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

    def _take(self) -> "list[_Call]":
        """What waits, from the front, as much as fits one frame."""
        with self._changed:
            size, end = 0, 0
            while end < len(self._waiting) and (end == 0 or size + self._waiting[end].size <= FRAME_MAX):
                size += self._waiting[end].size
                end += 1
            taken, self._waiting = self._waiting[:end], self._waiting[end:]
            return taken

    def _exchange(self, talk: "_Talk", calls: "list[_Call]") -> None:
        frames = [call.frame for call in calls]
        try:
            answer = talk.exchange(b"".join(call.data for call in calls))
            replies = decode_replies(answer, merged(frames))
        except UnavailableError as error:
            self._lost(calls, str(error))
            return
        except ValueError as error:
            talk.broken = True
            self._lost(calls, f"the oracle at {talk.leader.address}: {error}")
            return
        for call, share in zip(calls, shares(replies, frames), strict=True):
            call.settle(share)

    def _lost(self, calls: "list[_Call]", reason: str) -> None:
        """Commits are never sent again (F5); what may be repeated is asked again, before all that waits."""
        for call in calls:
            if call.frame.commits:
                call.settle(None, reason)
        with self._changed:
            self._waiting = [call for call in calls if not call.frame.commits] + self._waiting
            self._changed.wait(_LOOK_S)


class _Call:
    """What one thread asks, and waits for. replies None when it is done: there are none, and `failure` says why."""

    def __init__(self, frame: Frame) -> None:
        """Raises ValueError or TypeError when it can't be sent."""
        self.frame, self.data = frame, encode_frame(frame)
        self.size = _size(frame)
        self.done = threading.Event()
        self.replies: Replies | None = None
        self.failure = ""

    def settle(self, replies: Replies | None, failure: str = "") -> None:
        self.replies, self.failure = replies, failure
        self.done.set()


def _size(frame: Frame) -> int:
    cells = sum(len(request.written) + len(request.checked) for request in frame.commits)
    return len(frame.begins) + len(frame.commits) + cells + len(frame.resolves) + len(frame.settles)


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
        self.broken = True  # until it is answered; whoever is interrupted leaves an answer that is nobody's
        self._frames.put(frame)
        try:
            answer: bytes = next(self._answers)
            self.broken = False
            return answer
        except StopIteration:
            raise UnavailableError("the oracle ended the stream") from None
        except grpc.RpcError as error:
            raise UnavailableError(f"the oracle at {self.leader.address}: {error.details()}") from None

    def cancel(self) -> None:
        """From any thread: `exchange` raises."""
        self._answers.cancel()

    def close(self) -> None:
        self._frames.put(None)
        self._answers.cancel()
        self._channel.close()
