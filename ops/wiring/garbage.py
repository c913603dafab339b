"""What a data folder keeps for a time only: log messages, old versions, records of healed rows; removed a slice at a
time, so that no edit waits for it."""

from ops.engine.retention import KeepRule, Retention
from ops.settings import RetentionSettings
from ops.topics import CONSUMED
from ops.wiring.store import Store
from proto.events import DOCUMENTS
from proto.flows.model import Flows
from repo.drops import forget_healed

_EVERY_MS = 250.0
_FORGET_EVERY_MS = 60_000.0
_SLICE = 500  # versions, or records of rows


class GarbageWork:
    """`step` is the function of a FunctionStep. Of several processes one does it, as long as it lives."""

    def __init__(self, store: Store, flows: Flows) -> None:
        self._store = store
        self._messages = Retention(store.log, _rules(flows, store.settings.retention))
        self._kept_ms = store.settings.retention.versions_h * 3_600_000.0
        self._due_ms = self._forget_due_ms = 0.0
        self._forget_after = b""

    def step(self) -> bool:
        """True when something was removed that costs a commit."""
        store = self._store
        now_ms = store.clock.monotonic_ms()
        if now_ms < self._due_ms or not store.liveness.claim("retention", "all", 0):
            return False
        if not store.traffic.ask("retention", now_ms):
            return False
        self._due_ms = now_ms + _EVERY_MS
        if self._messages.step():
            return True
        before_ms = store.clock.now_ms() - self._kept_ms
        if now_ms >= self._forget_due_ms:
            self._forget_after = forget_healed(store.repo, before_ms, self._forget_after, _SLICE)
            self._forget_due_ms = now_ms + (0.0 if self._forget_after else _FORGET_EVERY_MS)
        return before_ms > 0 and store.repo.collect_garbage(int(before_ms * 1e6), _SLICE) > 0


def _rules(flows: Flows, kept: RetentionSettings) -> list[KeepRule]:
    rules = [KeepRule(one.topic, (one.consumer,), kept.log_messages) for one in CONSUMED]
    rules.append(KeepRule(DOCUMENTS, (), kept.documents_messages))
    return rules + [KeepRule(shortcut.topic, (), kept.shortcut_messages) for shortcut in flows.shortcuts.values()]
