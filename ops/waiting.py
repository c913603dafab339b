"""Whether everything that the sources had committed by now is servable: what `adsindex wait` asks until it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argus.generations import load
from argus.lifecycle import refresh_signature
from gateway.capture.sqlite.capture import SqliteCapture
from ops.opened import DataFolder
from ops.topics import UPDATER
from proto.errors import UnavailableError
from proto.events import DOCUMENTS, UPDATES, decode_delta, lane_topic
from proto.lane import Lane

_PAGE = 256


@dataclass(slots=True)
class Goal:
    """What must be reached, learnt step by step. positions: of each source's change log, when the wait began.

    ends: of the updates topics, once they hold those positions; timestamp: of the Repo, once these are applied.
    """

    positions: dict[str, int]
    ends: dict[tuple[str, int], int] | None = None
    timestamp: int = 0
    seen: int = field(default=0)


def newest_positions(sources: Mapping[str, str]) -> dict[str, int]:
    """Where each source is now. Raises UnavailableError when one is locked, or not attached yet."""
    positions = {}
    for name, url in sources.items():
        capture = SqliteCapture(url, busy_ms=1000)
        try:
            if capture.identity() is None:
                raise UnavailableError(f"source {name!r} is not attached yet")
            positions[name] = capture.newest().position
        finally:
            capture.close()
    return positions


def missing(folder: DataFolder, goal: Goal) -> str:
    """ "" when the goal is reached, else what is waited for, in words."""
    return _captured(folder, goal) or _applied(folder, goal) or _built(folder, goal) or _served(folder, goal)


def _captured(folder: DataFolder, goal: Goal) -> str:
    if goal.ends is not None:
        return ""
    states = folder.source_states()
    for name, position in goal.positions.items():
        applied = max(states[name].applied.values(), default=0) if name in states else 0
        if applied < position:
            return f"source {name!r}: applied up to {applied} of {position}"
    topics = [lane_topic(UPDATES, lane) for lane in Lane]
    goal.ends = {
        (topic, at): folder.log.bounds(topic, at)[1] for topic in topics for at in range(folder.log.partitions(topic))
    }
    return ""


def _applied(folder: DataFolder, goal: Goal) -> str:
    if goal.timestamp:
        return ""
    for (topic, partition), end in (goal.ends or {}).items():
        position = folder.log.position(UPDATER, topic, partition)
        if position < end:
            return f"{topic}: {end - position} units to be applied"
    return ""


def _built(folder: DataFolder, goal: Goal) -> str:
    """The first bootstrap, or a changed flows file: all documents are rebuilt."""
    state = load(folder.repo)
    if state is None:
        return "no flows are admitted yet"
    wanted = refresh_signature(state.number, goal.positions)
    for document in folder.flows.documents:
        if state.built.get(document) != wanted:
            return f"documents of type {document!r} are being rebuilt"
    goal.timestamp = goal.timestamp or folder.repo.last_timestamp()
    return ""


def _served(folder: DataFolder, goal: Goal) -> str:
    """Looks at heartbeats from where it looked last; at first from a page before the end."""
    first, end = folder.log.bounds(DOCUMENTS, 0)
    at = goal.seen or max(first, end - _PAGE)
    while messages := folder.log.read(DOCUMENTS, 0, at, _PAGE):
        for message in messages:
            delta = decode_delta(message.value)
            if delta.kind == "heartbeat" and delta.watermark >= goal.timestamp:
                return ""
        at = messages[-1].offset + 1
        goal.seen = max(first, at)
    return "changes that are applied are still being built and published"
