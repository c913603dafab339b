"""A lane on streams that do what a script says: whatever becomes of a frame, each caller gets his own answer or is
told, no commit is sent twice, and the next caller finds a stream that works."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum

import grpc
import pytest

from proto.errors import UnavailableError
from repo.api import OutcomeKind
from repo.oracle import grpc_lane
from repo.oracle.frames import BegunRange, Frame, Replies
from repo.oracle.grpc_lane import Lane
from repo.oracle.leader import Leader
from repo.oracle.port import CommitRequest, Decision, Fate, Resolution
from repo.oracle.wire import decode_frame, encode_replies
from tests.support.oracles import PATIENCE_S, Published, until

FIRST, SECOND = Leader("127.0.0.1:1", 1), Leader("127.0.0.1:2", 2)
SOON_S = 0.3


class Step(Enum):
    ANSWER = "the answer to the frame"
    RUBBISH = "bytes that are none"
    OTHER = "the answer to another frame"
    END = "the stream ends"
    FAIL = "the stream breaks"
    SILENCE = "nothing, until it is cancelled"
    INTERRUPT = "Ctrl-C in the thread that waits; the answer comes behind"


class Broken(grpc.RpcError):
    def details(self) -> str:
        return "it broke"


class Stream:
    """A channel with its one stream. frames: that it was sent; go_on: before it, nobody is interrupted."""

    def __init__(self, leader: Leader, steps: deque[Step]) -> None:
        self.leader, self.frames, self.closed = leader, list[Frame](), False
        self.asked, self.go_on = threading.Semaphore(0), threading.Event()
        self.go_on.set()
        self._steps, self._cancelled = steps, threading.Event()
        self._left: bytes | None = None

    def stream_stream(self, method: str) -> "Callable[[Iterator[bytes]], Stream]":
        def begin(requests: Iterator[bytes]) -> Stream:
            self._requests = requests
            return self

        return begin

    def __next__(self) -> bytes:
        if self._left is not None:
            left, self._left = self._left, None
            return left
        if self._cancelled.is_set():
            raise Broken
        frame = decode_frame(next(self._requests))
        self.frames.append(frame)
        self.asked.release()
        step = self._steps.popleft() if self._steps else Step.ANSWER
        if step is Step.INTERRUPT:
            self._left = answer(frame)
            assert self.go_on.wait(PATIENCE_S)
            raise KeyboardInterrupt
        if step is Step.END:
            raise StopIteration
        if step is Step.FAIL:
            raise Broken
        if step is Step.SILENCE:
            assert self._cancelled.wait(PATIENCE_S), "nobody gave it up"
            raise Broken
        return {Step.RUBBISH: b"\xff", Step.OTHER: answer(Frame(resolves=[1, 2, 3, 4]))}.get(step) or answer(frame)

    def cancel(self) -> None:
        self._cancelled.set()

    def close(self) -> None:
        self.closed = True


def answer(frame: Frame) -> bytes:
    """Of each request what tells it from all others."""
    return encode_replies(
        Replies(
            [BegunRange(1000 + begin.at_least, begin.id_count, begin.at_least) for begin in frame.begins],
            [Decision(OutcomeKind.COMMITTED, request.id + 1) for request in frame.commits],
            [Resolution(Fate.COMMITTED, id + 1) for id in frame.resolves],
            [Resolution(Fate.ABORTED) for _ in frame.settles],
        )
    )


class Streams:
    """Of one lane after the other. steps: of all frames to come, in order; then all are answered."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.opened: list[Stream] = []
        self.steps = deque[Step]()
        self.published = Published()
        self.published.publish(FIRST)

        def opening(leader: Leader, wanted: Callable[[], bool]) -> grpc_lane._Talk:
            self.opened.append(Stream(leader, self.steps))
            return grpc_lane._Talk(leader, self.opened[-1])

        patch.setattr(grpc_lane._Talk, "open", opening)

    def then(self, *steps: Step) -> None:
        self.steps.extend(steps)

    @property
    def commits(self) -> list[int]:
        """Ids of all commits that were sent."""
        return [request.id for stream in self.opened for frame in stream.frames for request in frame.commits]


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    return Streams(monkeypatch)


@pytest.fixture
def lane(streams: Streams) -> Iterator[Lane]:
    """Its first stream is open, and idle."""
    yield from _idle("patient", streams, PATIENCE_S)


@pytest.fixture
def hasty(streams: Streams) -> Iterator[Lane]:
    """As `lane`, with a short deadline."""
    yield from _idle("hasty", streams, SOON_S)


def _idle(name: str, streams: Streams, deadline_s: float) -> Iterator[Lane]:
    lane = Lane(name, streams.published, deadline_s)
    assert resolved(lane, 1) == 2
    until(lambda: lane._idle() is not None)
    yield lane
    lane.close()


def resolved(lane: Lane, id: int) -> int:
    (found,) = lane.ask(Frame(resolves=[id])).resolves
    return found.commit_timestamp


def committed(lane: Lane, id: int) -> int:
    (decision,) = lane.ask(Frame(commits=[CommitRequest(id, 1, (7,))])).commits
    return decision.timestamp


def in_a_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """What it returns or raises is in the list when it has ended."""
    told: list[object] = []

    def run() -> None:
        try:
            told.append(call())
        except BaseException as error:
            told.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, told


def test_frames_of_one_thread_follow_each_other_on_one_stream(lane: Lane, streams: Streams) -> None:
    assert [resolved(lane, id) for id in (10, 20)] == [11, 21]
    assert committed(lane, 30) == 31
    assert [len(stream.frames) for stream in streams.opened] == [4]


def test_who_is_interrupted_leaves_his_answer_to_nobody(lane: Lane, streams: Streams) -> None:
    streams.then(Step.INTERRUPT)
    with pytest.raises(KeyboardInterrupt):
        committed(lane, 10)
    assert resolved(lane, 20) == 21, "not what came for the one before"
    assert [stream.closed for stream in streams.opened] == [True, False]
    assert streams.commits == [10]


def test_who_waits_behind_one_that_is_interrupted_is_answered(lane: Lane, streams: Streams) -> None:
    streams.then(Step.INTERRUPT)
    streams.opened[0].go_on.clear()
    first, told = in_a_thread(lambda: committed(lane, 10))
    assert streams.opened[0].asked.acquire(timeout=PATIENCE_S)
    waiting = [in_a_thread(lambda id=id: resolved(lane, id)) for id in (20, 30)]  # type: ignore[misc]
    until(lambda: lane.waiting() == 2)
    streams.opened[0].go_on.set()
    for thread in (first, *(thread for thread, _ in waiting)):
        thread.join(PATIENCE_S)
    assert [type(error) for error in told] == [KeyboardInterrupt]
    assert [found for _, found in waiting] == [[21], [31]]
    assert streams.commits == [10]


@pytest.mark.parametrize("step", [Step.RUBBISH, Step.OTHER, Step.END, Step.FAIL])
def test_a_commit_without_its_answer_is_told_and_never_sent_again(lane: Lane, streams: Streams, step: Step) -> None:
    streams.then(step)
    with pytest.raises(UnavailableError, match=r"oracle (at 127\.0\.0\.1:1|ended the stream)"):
        committed(lane, 10)
    assert committed(lane, 20) == 21
    assert streams.commits == [10, 20]
    assert [stream.closed for stream in streams.opened] == [True, False], "nothing more is read from the first"


@pytest.mark.parametrize("step", [Step.RUBBISH, Step.OTHER, Step.END, Step.FAIL])
def test_what_changes_nothing_is_asked_again_on_another_stream(lane: Lane, streams: Streams, step: Step) -> None:
    streams.then(step, step)
    assert resolved(lane, 10) == 11
    assert [len(stream.frames) for stream in streams.opened] == [2, 1, 1]


def test_of_a_frame_that_is_lost_the_commits_are_told_and_the_rest_is_asked_again(lane: Lane, streams: Streams) -> None:
    streams.then(Step.SILENCE, Step.END)
    first, _ = in_a_thread(lambda: resolved(lane, 10))
    assert streams.opened[0].asked.acquire(timeout=PATIENCE_S)
    commit, told = in_a_thread(lambda: committed(lane, 20))
    until(lambda: lane.waiting() == 1)
    look, found = in_a_thread(lambda: resolved(lane, 30))
    until(lambda: lane.waiting() == 2)
    streams.opened[0].cancel()
    for thread in (first, commit, look):
        thread.join(PATIENCE_S)
    assert isinstance(told[0], UnavailableError) and found == [31]
    assert streams.commits == [20]


@pytest.mark.parametrize("alone", [True, False], ids=["who asks waits himself", "the lane's thread waits"])
def test_silence_ends_at_the_deadline_and_the_next_one_is_answered(hasty: Lane, streams: Streams, alone: bool) -> None:
    if not alone:
        streams.then(Step.END)
        with pytest.raises(UnavailableError):
            committed(hasty, 10)  # so the next frame is the thread's
    streams.then(Step.SILENCE)
    with pytest.raises(UnavailableError):
        committed(hasty, 20)
    assert resolved(hasty, 30) == 31
    assert streams.commits == ([20] if alone else [10, 20])


def test_who_waits_for_a_silent_stream_is_given_up_too_and_what_was_not_sent_never_is(
    hasty: Lane, streams: Streams
) -> None:
    streams.published.publish(None)  # so that nobody opens another stream
    streams.then(Step.SILENCE)
    first, _ = in_a_thread(lambda: resolved(hasty, 10))
    assert streams.opened[0].asked.acquire(timeout=PATIENCE_S)
    second, told = in_a_thread(lambda: committed(hasty, 20))
    first.join(PATIENCE_S)
    second.join(PATIENCE_S)
    assert "no oracle leads" in str(told[0])
    streams.published.publish(FIRST)
    assert resolved(hasty, 30) == 31
    assert streams.commits == []


def test_a_new_leader_ends_the_wait_for_the_former_one(lane: Lane, streams: Streams) -> None:
    streams.then(Step.SILENCE)
    look, found = in_a_thread(lambda: resolved(lane, 10))
    assert streams.opened[0].asked.acquire(timeout=PATIENCE_S)
    streams.published.publish(SECOND)
    look.join(PATIENCE_S)
    assert found == [11]
    assert [stream.leader for stream in streams.opened] == [FIRST, SECOND]


def test_closing_ends_the_wait(lane: Lane, streams: Streams) -> None:
    streams.then(Step.SILENCE)
    commit, told = in_a_thread(lambda: committed(lane, 10))
    assert streams.opened[0].asked.acquire(timeout=PATIENCE_S)
    lane.close()
    commit.join(PATIENCE_S)
    assert isinstance(told[0], UnavailableError)
    with pytest.raises(UnavailableError, match="closed"):
        resolved(lane, 20)
