"""What waits for a document, and where: captured units, notifications, publications."""

from collections.abc import Sequence

from ops.engine.pauses import Pause, Pauses
from ops.engine.status import ProcessStatus, StepStatus
from ops.lookup.causes import first_at
from ops.lookup.published import find
from ops.lookup.read_rows import row_text
from ops.lookup.touching import Touching
from ops.opened import DataFolder
from ops.topics import ARGUS, PUBLISHER, UPDATER
from proto.events import (
    NOTIFICATIONS,
    PUBLICATIONS,
    UPDATES,
    decode_document_changes,
    decode_notification,
    decode_unit,
    lane_topic,
)
from proto.lane import Lane
from proto.ports.log import Message
from repo.system import SourceState
from ui.why.facts import Waiting
from ui.why.words import moment

_SCANNED_MAX = 2_000
"""Messages of a topic that are looked through."""
_PER_MS = 1_000_000


class Queues:
    """Of one data folder, at one look."""

    def __init__(self, folder: DataFolder, statuses: Sequence[ProcessStatus], now_ms: float) -> None:
        self._folder, self._log, self._now_ms = folder, folder.log, now_ms
        self._pauses = Pauses(folder.path).all()
        self._steps = {step.name: step for status in statuses for step in status.steps}

    def units(self, source: str, state: SourceState | None, touching: Touching) -> Waiting | None:
        """The first captured unit with a row of the document that is not applied."""
        for lane in Lane:
            topic = lane_topic(UPDATES, lane)
            partition = self._log.partition_of(topic, source)
            position = self._log.position(UPDATER, topic, partition)
            for offset, value in self._log.read(topic, partition, position, _SCANNED_MAX):
                unit = decode_unit(value)
                reached = state.applied.get(lane, 0) if state is not None else 0
                if unit.kind == "stream" and unit.position <= reached:
                    continue  # positions are saved now and then only; the source's state with each unit
                if rows := [one for table in unit.tables for one in touching.rows(table)]:
                    return self._waiting(UPDATER, lane, offset - position, rows[0], unit.commit_ms or unit.capture_ms)
        return None

    def notices(self, touching: Touching, built_at: int, newer: Sequence[int]) -> Waiting | None:
        """The first notification that concerns the document and came after its build. newer: commit timestamps of
        inputs that are newer than the document, which are found wherever they wait."""
        for lane in Lane:
            topic = lane_topic(NOTIFICATIONS, lane)
            for partition in range(self._log.partitions(topic)):
                position = self._log.position(ARGUS, topic, partition)
                begins = [position, *(max(position, first_at(self._log, topic, partition, at)) for at in sorted(newer))]
                for begin in dict.fromkeys(begins):
                    found = self._notice(touching, built_at, self._log.read(topic, partition, begin, _SCANNED_MAX))
                    if found is not None:
                        offset, about, at = found
                        return self._waiting(ARGUS, lane, offset - position, about, at / _PER_MS)
        return None

    def publication(self, document_type: str, key: bytes, sequence: int) -> Waiting | None:
        """The newest version, when it is built and not published."""
        if not sequence or find(self._log, document_type, key, sequence) is not None:
            return None
        position = self._log.position(PUBLISHER, PUBLICATIONS, 0)
        begin = max(position, first_at(self._log, PUBLICATIONS, 0, sequence))
        for offset, value in self._log.read(PUBLICATIONS, 0, begin, _SCANNED_MAX):
            _, changes = decode_document_changes(value)
            if changes.type == document_type and key in changes.keys:
                return self._waiting(PUBLISHER, None, offset - position, "", sequence / _PER_MS)
        return None

    def publishing_paused(self) -> str:
        """ "since 10:40:12 UTC by ana: bad prices"; "" when it goes on."""
        pause = self._pause(PUBLISHER, None)
        return "" if pause is None else self._described(pause)

    def failure(self, step: str) -> str:
        """The last error of a step that fails now; "" when it works."""
        found = self._steps.get(step)
        return found.last_error if found is not None and found.failing else ""

    def _notice(self, touching: Touching, built_at: int, messages: Sequence[Message]) -> tuple[int, str, int] | None:
        """(offset, address of the row, commit timestamp)."""
        for offset, value in messages:
            if int.from_bytes(value[:8], "big") <= built_at:
                continue
            timestamp, notification = decode_notification(value)
            for change in notification.changes:
                if touching.change(change):
                    return offset, row_text(change.table, change.key), timestamp
        return None

    def _waiting(self, stage: str, lane: Lane | None, ahead: int, about: str, since_ms: float) -> Waiting:
        pause = self._pause(stage, lane)
        return Waiting(
            lane="all" if lane is None else lane.name.lower(),
            ahead=max(0, ahead),
            about=about,
            since_ms=since_ms,
            estimate_ms=self._estimate_ms(self._steps.get(stage), ahead),
            paused="" if pause is None else self._described(pause),
            resume="" if pause is None else _resume(pause),
            error=self.failure(stage),
        )

    def _estimate_ms(self, step: StepStatus | None, ahead: int) -> float | None:
        """By what a message took on the average since the process began."""
        if step is None or step.counters is None or not step.counters.items:
            return None
        return max(0, ahead) * step.counters.busy_ms / step.counters.items

    def _pause(self, stage: str, lane: Lane | None) -> Pause | None:
        name = "" if lane is None else lane.name.lower()
        stages = (stage,) if lane is None else ("", stage)
        return next((pause for pause in self._pauses if pause.lane == name and pause.stage in stages), None)

    def _described(self, pause: Pause) -> str:
        since = f"since {moment(pause.since_ms, self._now_ms)}" if pause.since_ms else "by hand"
        return since + (f" by {pause.who}" if pause.who else "") + (f": {pause.reason}" if pause.reason else "")


def _resume(pause: Pause) -> str:
    if not pause.lane:
        return "adsindex publish resume"
    return f"adsindex lanes resume {pause.lane}" + (f" --stage {pause.stage}" if pause.stage else "")
