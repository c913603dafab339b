"""The rules in their order, and the answer that they give."""

from collections.abc import Callable

from ui.why import build_rules, serving_rules, source_rules
from ui.why.facts import Facts, Now
from ui.why.finding import Finding, Why
from ui.why.words import moment, moment_of, span

SERVING = "serving"


def _present(code: str, rule: Callable[[Facts, Now], Finding]) -> Callable[[Facts], Finding]:
    """A rule about what moves: nobody knows that of the past."""

    def checked(facts: Facts) -> Finding:
        if facts.now is None:
            return Finding(code, "skipped", "not kept for a time in the past")
        return rule(facts, facts.now)

    return checked


RULES: dict[str, Callable[[Facts], Finding]] = {
    "unknown_id": source_rules.unknown_id,
    "not_in_source": source_rules.not_in_source,
    "capture_behind": _present("capture_behind", source_rules.capture_behind),
    "capture_failed": _present("capture_failed", source_rules.capture_failed),
    "apply_pending": _present("apply_pending", source_rules.apply_pending),
    "apply_failed": lambda facts: source_rules.apply_failed(facts, facts.now),
    "notify_pending": _present("notify_pending", build_rules.notify_pending),
    "build_pending": lambda facts: build_rules.build_pending(facts, facts.now),
    "build_failed": _present("build_failed", build_rules.build_failed),
    "reference_missing": build_rules.reference_missing,
    "table_parked": build_rules.table_parked,
    "signal_missing": build_rules.signal_missing,
    "signal_stale": build_rules.signal_stale,
    "not_servable": serving_rules.not_servable,
    "publish_paused": _present("publish_paused", serving_rules.publish_paused),
    "publish_pending": _present("publish_pending", serving_rules.publish_pending),
    "dropped_stale": _present("dropped_stale", serving_rules.dropped_stale),
    "serving_behind": _present("serving_behind", serving_rules.serving_behind),
}
"""By code. The order decides: the first that blocks is the answer."""

_UNKNOWN = "unknown_id"
"""Behind it the other rules have nothing to look at."""
_FINAL = (_UNKNOWN, "not_in_source", "reference_missing", "not_servable")
"""What blocks serving, but not freshness: nothing is under way."""


def explain(facts: Facts) -> Why:
    """Every rule's finding; the first that blocks is the answer."""
    findings = _findings(facts)
    blocking = [finding for finding in findings if finding.state == "blocks"]
    current = all(finding.code in _FINAL for finding in blocking)
    serving = bool(facts.document.served)
    if not blocking:
        findings.append(Finding(SERVING, "passed", _current(facts)))
    first = blocking[0] if blocking else None
    return Why(
        type=facts.type,
        id=facts.id,
        source=facts.source,
        code=first.code if first else SERVING,
        serving=serving,
        current=current,
        sentence=_sentence(facts, findings, serving, current),
        next_step=_next_step(blocking, serving),
        as_of=facts.as_of,
        findings=findings,
        trace=facts.trace,
    )


def _findings(facts: Facts) -> list[Finding]:
    found: list[Finding] = []
    for code, rule in RULES.items():
        absent = any(one.state == "blocks" and one.code == _UNKNOWN for one in found)
        found.append(Finding(code, "skipped", f"there is no {facts.called}") if absent else rule(facts))
    return found


def _sentence(facts: Facts, findings: list[Finding], serving: bool, current: bool) -> str:
    blocking = [finding for finding in findings if finding.state == "blocks"]
    remarks = [finding.sentence for finding in findings if finding.state == "remark"]
    if not blocking:
        parts = [f"Serving: {_current(facts)}"]
    else:
        first = blocking[0]
        parts = [f"{'Serving, but not current' if serving else 'Not serving'}: {first.sentence}"]
        parts += [f"Also: {finding.sentence}" for finding in blocking[1:]]
        if facts.document.exists and current and len(blocking) == 1 and not remarks:
            parts.append(f"Everything else is fine: {_current(facts)}")
        if first.code == "not_servable" and not serving:
            parts.append(first.next_step)
    parts += [f"Beside that: {text}" for text in remarks]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _next_step(blocking: list[Finding], serving: bool) -> str:
    """Of the first that blocks; but what should be gone and is still served waits for what holds it back."""
    holding = [finding for finding in blocking if serving and finding.code not in _FINAL] or blocking
    return holding[0].next_step if holding else ""


def _current(facts: Facts) -> str:
    """`the document is current (built 10:40:12.004 UTC, 3 ms after the edit; in serving since 10:40:12.006 UTC)`."""
    if facts.as_of is not None:
        return f"the document as of {moment_of(facts.as_of, facts.now_ms)}, of {_of(facts.document.sequence, facts)}"
    times = facts.trace.at_ms if facts.trace is not None else {}
    committed, built, served = times.get("committed"), times.get("built"), times.get("serving")
    told = f"built {moment(built, facts.now_ms)}" if built else f"built {_of(facts.document.sequence, facts)}"
    if built and committed:
        told += f", {span(max(0.0, built - committed))} after the edit"
    if served:
        told += f"; in serving since {moment(served, facts.now_ms)}"
    return f"the document is current ({told})"


def _of(timestamp: int, facts: Facts) -> str:
    return moment_of(timestamp, facts.now_ms)
