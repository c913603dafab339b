"""Frames and their answers as bytes (proto/wire/oracle.proto).

A frame is a table in columns: a begin and a commit together cost a few microseconds to write and to read, so that the
frames of one client carry more than the oracle can decide.
"""

from itertools import accumulate, chain, pairwise

from proto.errors import UnavailableError
from proto.wire.oracle_pb2 import OracleAnswer, OracleFrame
from repo.api import OutcomeKind
from repo.oracle.frames import BeginRequest, BegunRange, Frame, Replies
from repo.oracle.port import CommitRequest, Decision, Fate, Resolution

_KINDS = tuple(OutcomeKind)
_FATES = tuple(Fate)
_KIND_BYTES = {kind: number for number, kind in enumerate(_KINDS)}
_FATE_BYTES = {fate: number for number, fate in enumerate(_FATES)}


def encode_frame(frame: Frame) -> bytes:
    """Bytes of an OracleFrame. Those of several, one behind the other, are those of one that asks all of it, as each
    field is a list. Raises ValueError or TypeError for what is no number of 64 bits."""
    commits = frame.commits
    message = OracleFrame(
        begin_counts=[begin.id_count for begin in frame.begins],
        begin_at_least=[begin.at_least for begin in frame.begins],
        commit_ids=[request.id for request in commits],
        commit_snapshots=[request.snapshot for request in commits],
        written_counts=[len(request.written) for request in commits],
        checked_counts=[len(request.checked) for request in commits],
        cells=chain.from_iterable(request.written + request.checked for request in commits),
        resolve_ids=frame.resolves,
        settle_ids=frame.settles,
    )
    return _encoded(message)


def decode_frame(data: bytes) -> Frame:
    """Raises ValueError when the lists don't fit each other, protobuf's DecodeError for other bytes."""
    message = OracleFrame.FromString(data)
    begins = [BeginRequest(*both) for both in zip(message.begin_counts, message.begin_at_least, strict=True)]
    return Frame(begins, _commits(message), list(message.resolve_ids), list(message.settle_ids))


def _commits(message: OracleFrame) -> list[CommitRequest]:
    cells = list(message.cells)
    counts = zip(message.written_counts, message.checked_counts, strict=True)
    ends = list(accumulate(chain.from_iterable(counts), initial=0))
    if ends[-1] != len(cells):
        raise ValueError(f"{len(cells)} cells in a frame that counts {ends[-1]}")
    parts = [tuple(cells[start:end]) for start, end in pairwise(ends)]
    rows = zip(message.commit_ids, message.commit_snapshots, parts[::2], parts[1::2], strict=True)
    return [CommitRequest(*row) for row in rows]


def encode_replies(replies: Replies) -> bytes:
    """Bytes of an OracleAnswer."""
    fates = replies.resolves + replies.settles
    message = OracleAnswer(
        refused=[begun is None for begun in replies.begins],
        snapshots=[begun.snapshot if begun else 0 for begun in replies.begins],
        first_ids=[begun.first_id if begun else 0 for begun in replies.begins],
        decisions=bytes([_KIND_BYTES[decision.kind] for decision in replies.commits]),
        decision_timestamps=[decision.timestamp for decision in replies.commits],
        decision_cells=[decision.cell_id for decision in replies.commits],
        fates=bytes([_FATE_BYTES[one.fate] for one in fates]),
        fate_timestamps=[one.commit_timestamp for one in fates],
    )
    return _encoded(message)


def encode_failure(reason: str) -> bytes:
    """The answer to a frame when the store did not answer the oracle: its commits are unknown."""
    return _encoded(OracleAnswer(failure=reason or "the oracle's store does not answer"))


def decode_replies(data: bytes, frame: Frame) -> Replies:
    """frame: what is answered. Raises UnavailableError for a failure, ValueError when the answer doesn't fit."""
    try:
        message = OracleAnswer.FromString(data)
    except Exception as error:  # DecodeError is protobuf's, and derives from nothing narrower
        raise ValueError(f"not an answer: {error}") from error
    if message.failure:
        raise UnavailableError(message.failure)
    try:
        return _replies(message, frame)
    except IndexError:
        raise ValueError("an answer with a kind or a fate that is not known here") from None


def _replies(message: OracleAnswer, frame: Frame) -> Replies:
    rows = zip(message.decisions, message.decision_timestamps, message.decision_cells, strict=True)
    decisions = [Decision(_KINDS[kind], timestamp, cell_id) for kind, timestamp, cell_id in rows]
    pairs = zip(message.fates, message.fate_timestamps, strict=True)
    fates = [Resolution(_FATES[fate], timestamp) for fate, timestamp in pairs]
    asked = len(frame.resolves)
    if len(decisions) != len(frame.commits) or len(fates) != asked + len(frame.settles):
        raise ValueError("an answer that doesn't fit its frame")
    begun = zip(frame.begins, message.refused, message.first_ids, message.snapshots, strict=True)
    begins = [None if refused else BegunRange(first, begin.id_count, at) for begin, refused, first, at in begun]
    return Replies(begins, decisions, fates[:asked], fates[asked:])


def _encoded(message: OracleFrame | OracleAnswer) -> bytes:
    data: bytes = message.SerializeToString()
    return data
