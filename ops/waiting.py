"""Whether everything that the sources had committed by now is servable: what `adsindex wait` asks until it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from argus.generations import load
from argus.lifecycle import refresh_signature
from gateway.capture.sqlite.capture import SqliteCapture
from gateway.progress import ProgressLog
from ops.addresses import shown_address
from ops.engine.pauses import Pauses
from ops.opened import DataFolder
from ops.topics import UPDATER
from proto.errors import UnavailableError
from proto.events import DOCUMENTS, UPDATES, decode_delta, lane_topic
from proto.lane import Lane
from repo.drops import Piles, open_rows

_PAGE = 256
_NAMED_MAX = 5


class Stand(NamedTuple):
    """Where a source is: the end of its change log, and its schema, whose changes may hide edits from that log."""

    position: int
    schema_version: int


@dataclass(slots=True)
class Goal:
    """What must be reached, learnt step by step. stands: of each source, when the wait began.

    ends: of the updates topics, once they hold all that; timestamp: of the Repo, once these are applied. handlers: how
    often what they wrote for changes up to there may have led to further writes.
    """

    stands: dict[str, Stand]
    ends: dict[tuple[str, int], int] | None = None
    timestamp: int = 0
    handlers: int = 0
    seen: int = 0


def newest_stands(sources: Mapping[str, str]) -> dict[str, Stand]:
    """Where each source is now. Raises UnavailableError when one is locked, or not attached yet."""
    stands = {}
    for name, url in sources.items():
        capture = SqliteCapture(url, busy_ms=1000)
        try:
            if capture.identity() is None:
                raise UnavailableError(f"source {name!r} is not attached yet")
            schema_version = capture.schema_version()
            stands[name] = Stand(capture.newest().position, schema_version)
        finally:
            capture.close()
    return stands


def missing(folder: DataFolder, goal: Goal) -> str:
    """ "" when the goal is reached, else what is waited for, in words. Nobody can wait for a table that is parked."""
    why = _captured(folder, goal) or _applied(folder, goal) or _healed(folder, goal)
    why = why or _built(folder, goal) or _served(folder, goal) or _followed(folder, goal)
    return why + "".join(f"; {pause.name} is paused" for pause in Pauses(folder.path).all()) if why else ""


def _captured(folder: DataFolder, goal: Goal) -> str:
    if goal.ends is not None:
        return ""
    for name, stand in goal.stands.items():
        progress = ProgressLog(folder.log, name).load()
        if progress is None:
            return f"source {name!r}: nothing is captured yet"
        if progress.schema_version < stand.schema_version:
            return f"source {name!r}: its schema has changed, and is to be looked at"
        if progress.position < stand.position:
            return f"source {name!r}: captured up to {progress.position} of {stand.position}"
        if progress.tasks:
            return f"source {name!r}: table {progress.tasks[0].table!r} is being read"
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


def _healed(folder: DataFolder, goal: Goal) -> str:
    """What was dropped is not servable, whatever the watermark says; what heals it is newer than the goal was."""
    left = sum(pile.open for pile in Piles(folder.repo).now())
    if not left:
        return ""
    goal.timestamp = goal.seen = 0
    with folder.repo.snapshot() as snapshot:
        names = [shown_address(row.table, row.key, folder.sources()) for row in open_rows(snapshot, _NAMED_MAX)]
    more = f" and {left - len(names):,} more" if left > len(names) else ""
    return f"dropped as stale and not healed yet: {', '.join(names)}{more}; heal them: adsindex lanes heal"


def _built(folder: DataFolder, goal: Goal) -> str:
    """The first bootstrap, or a changed flows file: all documents are rebuilt."""
    state = load(folder.repo)
    if state is None:
        return "no flows are admitted yet"
    for part, since in state.current.since.items():
        if part.startswith("document ") and state.built.get(part) != refresh_signature(since, goal.stands):
            return f"documents of type {part.removeprefix('document ')!r} are being rebuilt"
    if not goal.timestamp:
        goal.timestamp = folder.repo.last_timestamp()
        goal.handlers = sum(part.startswith("handler ") for part in state.current.since)
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


def _followed(folder: DataFolder, goal: Goal) -> str:
    """A handler writes rows for a change; that is a change of its own, and later, for which the next may write."""
    while goal.handlers:
        goal.handlers -= 1
        goal.timestamp = folder.repo.last_timestamp()
        if why := _served(folder, goal):
            return why
    return ""
