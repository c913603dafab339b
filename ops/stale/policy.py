"""Drops by age without a person, as the settings `stale.*` say; never from a lane that somebody has paused, and never
more than a share of a lane: what would drop everything is more likely a mistake than a wish."""

from collections.abc import Callable, Iterable, Sequence

import structlog

from ops.audit import Action, Audit
from ops.settings import StaleSettings
from ops.stale.backlog import StalePart, stale_parts
from ops.stale.orders import Why, order
from ops.times import duration
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.log import Log
from repo.api import Repo
from repo.drops import DropOrder

WHO = "policy"

_logger = structlog.get_logger("adsindex.stale")


class Policy:
    """The policy for the stages of this process. refusals: "lane low of argus" -> why it drops nothing there."""

    def __init__(
        self, repo: Repo, log: Log, ordered: Callable[[str], Callable[[Lane], DropOrder | None]],
        paused: Callable[[str], Iterable[Lane]], audit: Audit, clock: Clock, settings: StaleSettings,
        stages: Iterable[str],
    ) -> None:  # fmt: skip
        self.refusals: dict[str, str] = {}
        self._repo, self._log, self._ordered, self._paused = repo, log, ordered, paused
        self._audit, self._clock, self._settings = audit, clock, settings
        self._stages = [stage for stage in stages if stage in settings.stages]
        ages_s = zip(Lane, (settings.high_after_s, settings.medium_after_s, settings.low_after_s), strict=True)
        self._ages_ms = {lane: after_s * 1000.0 for lane, after_s in ages_s if after_s is not None}

    @property
    def on(self) -> bool:
        """Whether there is anything to do at all."""
        return bool(self._ages_ms and self._stages)

    def look(self) -> None:
        """Once a second or so, outside of all groups."""
        for stage in self._stages:
            paused = set(self._paused(stage))
            for lane, age_ms in self._ages_ms.items():
                if lane not in paused:
                    self._look(stage, lane, age_ms)

    def _look(self, stage: str, lane: Lane, age_ms: float) -> None:
        now_ms = self._clock.now_ms()
        name = f"lane {lane.name.lower()} of {stage}"
        parts = [one for one in stale_parts(self._log, (stage,), lane, now_ms - age_ms) if one.stale]
        known = self._ordered(stage)(lane)
        if not parts or (known is not None and _under_way(known, parts)):
            self.refusals.pop(name, None)
            return
        lately = [(at_ms, count) for at_ms, count in (known.by_policy if known else []) if self._counts(at_ms, now_ms)]
        refusal = self._refusal(name, parts, sum(count for _, count in lately), age_ms)
        if refusal:
            if name not in self.refusals:
                _logger.warning("nothing dropped", where=name, why=refusal)
            self.refusals[name] = refusal
            return
        self.refusals.pop(name, None)
        stale = sum(part.stale for part in parts)
        reason = f"older than {duration(age_ms)}, by policy"
        order(self._repo, parts, Why(now_ms - age_ms, reason, WHO, now_ms), [*lately, (now_ms, stale)])
        what = f"ordered to drop {stale:,} messages of {name} that are older than {duration(age_ms)}"
        self._audit.record(Action(at_ms=now_ms, who=WHO, command="drop-stale", what=what))

    def _counts(self, at_ms: float, now_ms: float) -> bool:
        return at_ms > now_ms - self._settings.window_s * 1000.0

    def _refusal(self, name: str, parts: Sequence[StalePart], lately: int, age_ms: float) -> str:
        """ "" when the policy may drop these."""
        stale, waiting = sum(part.stale for part in parts), sum(part.waiting for part in parts)
        share, window = (stale + lately) / (waiting + lately), duration(self._settings.window_s * 1000.0)
        if share <= self._settings.share_max:
            return ""
        lane, stage = parts[0].lane.name.lower(), parts[0].stage
        before = f" and {lately:,} that it has dropped in the last {window}" if lately else ""
        return (
            f"the policy would drop {stale:,} of {waiting:,} messages of {name}{before}: {share:.0%}, where"
            f" stale.share_max allows {self._settings.share_max:.0%}; it drops none of them. To do it all the same:"
            f" adsindex lanes drop-stale {lane} --stage {stage} --older-than {age_ms / 1000:g}s --yes"
        )


def _under_way(known: DropOrder, parts: Sequence[StalePart]) -> bool:
    """What was ordered last is not carried out yet."""
    return any(part.position < known.below.get(part.partition, 0) for part in parts)
