"""Frames and replies come out as they went in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.errors import UnavailableError
from proto.wire.oracle_pb2 import OracleAnswer, OracleFrame
from repo.api import OutcomeKind
from repo.oracle.frames import BeginRequest, BegunRange, Frame, Replies
from repo.oracle.port import CommitRequest, Decision, Fate, Resolution
from repo.oracle.rounds import merged
from repo.oracle.wire import decode_frame, decode_replies, encode_failure, encode_frame, encode_replies

timestamps = st.integers(0, 2**63 - 1)
cells = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3).map(tuple)
frames = st.builds(
    Frame,
    st.lists(st.builds(BeginRequest, st.integers(1, 1000), timestamps), max_size=3),
    st.lists(st.builds(CommitRequest, timestamps, timestamps, cells, cells), max_size=4),
    st.lists(timestamps, max_size=3),
    st.lists(timestamps, max_size=3),
)
resolutions = st.builds(Resolution, st.sampled_from(Fate), timestamps)
decisions = st.builds(Decision, st.sampled_from(OutcomeKind), timestamps, st.integers(-(2**63), 2**63 - 1))


@given(frames)
def test_a_frame_comes_out_as_it_went_in(frame: Frame) -> None:
    assert decode_frame(encode_frame(frame)) == frame


@given(st.lists(frames, max_size=3))
def test_frames_behind_each_other_are_one(some: list[Frame]) -> None:
    assert decode_frame(b"".join(map(encode_frame, some))) == merged(some)


@given(frames, st.data())
def test_replies_come_out_as_they_went_in(frame: Frame, data: st.DataObject) -> None:
    begun = [
        data.draw(st.none() | st.builds(BegunRange, timestamps, st.just(one.id_count), timestamps))
        for one in frame.begins
    ]
    drawn = [
        data.draw(st.lists(kind, min_size=len(asked), max_size=len(asked)))
        for kind, asked in ((decisions, frame.commits), (resolutions, frame.resolves), (resolutions, frame.settles))
    ]
    replies = Replies(begun, *drawn)
    assert decode_replies(encode_replies(replies), frame) == replies


def test_a_failure_is_an_error_that_says_why() -> None:
    with pytest.raises(UnavailableError, match="Thrift is away"):
        decode_replies(encode_failure("Thrift is away"), Frame())
    with pytest.raises(UnavailableError, match="store does not answer"):
        decode_replies(encode_failure(""), Frame())


@pytest.mark.parametrize(
    "message",
    [
        OracleFrame(begin_counts=[1]),
        OracleFrame(commit_ids=[1], commit_snapshots=[1], written_counts=[2], checked_counts=[0], cells=[1]),
        OracleFrame(commit_ids=[1, 2], commit_snapshots=[1, 2], written_counts=[1], checked_counts=[0], cells=[1]),
        OracleFrame(commit_ids=[1], commit_snapshots=[1], written_counts=[1], cells=[1]),
    ],
)
def test_lists_that_do_not_fit_each_other_are_refused(message: OracleFrame) -> None:
    with pytest.raises(ValueError):
        decode_frame(message.SerializeToString())


@pytest.mark.parametrize(
    "message",
    [
        OracleAnswer(),
        OracleAnswer(decisions=b"\0", decision_timestamps=[1]),
        OracleAnswer(decisions=b"\0\0", decision_timestamps=[1, 2], decision_cells=[0, 0]),
        OracleAnswer(decisions=b"\x63", decision_timestamps=[1], decision_cells=[0]),
    ],
)
def test_an_answer_to_something_else_is_refused(message: OracleAnswer) -> None:
    with pytest.raises(ValueError):
        decode_replies(message.SerializeToString(), Frame(commits=[CommitRequest(2, 1, (7,))]))


def test_bytes_that_are_no_answer_are_refused() -> None:
    with pytest.raises(ValueError, match="not an answer"):
        decode_replies(b"\xff", Frame())
