"""From the Repo to the document: is it built from what is stored, and what does it lack?"""

from ui.why.facts import Facts, Job, Missing, Now, Signal
from ui.why.finding import Finding, blocks, passed, remark
from ui.why.source_rules import LOOK, letter_text, then, waits
from ui.why.words import counted, listed, moment, moment_of, span

_REFRESH_TAKES_MS = 5000.0
"""So long it may look for a document, and wait for its service."""


def notify_pending(facts: Facts, now: Now) -> Finding:
    code = "notify_pending"
    if not now.stale or now.notice is not None or now.jobs or now.first or _had_its_turn(facts, now):
        return passed(code, "every change was announced with the row itself")
    newest = max(now.stale, key=lambda one: one.changed_at)
    when = moment_of(newest.changed_at, facts.now_ms)
    sentence = (
        f"{newest.address}.{newest.column} changed at {when}, after the document was built, and no notification of it "
        "waits"
    )
    return blocks(code, sentence, f"write {newest.address} again in the database, or adsindex rebuild")


def build_pending(facts: Facts, now: Now | None) -> Finding:
    code = "build_pending"
    if now is None:
        if facts.document.exists or facts.row.deleted_at:
            return passed(code, "it was built")
        return blocks(code, "the document was not built yet at that time")
    if now.notice is not None:
        sentence = f"a change waits for the document to be built{waits(now.notice, facts, now, 'argus')}"
        return blocks(code, sentence, then(now.notice, now))
    healthy = [job for job in now.jobs if not job.error]
    if healthy:
        return blocks(code, f"a job will build the document: {_job(healthy[0])}", _job_step(healthy[0], now))
    if now.jobs or _had_its_turn(facts, now):
        return passed(code, "it had its turn")
    if facts.parked_tables and not facts.row.ever:
        return passed(code, "there is no row yet to build it from")
    if now.first or not (facts.document.exists or facts.row.deleted_at):
        idle = "" if "argus" in now.running else "; nothing runs that would build it"
        return blocks(code, f"the document was not built yet{idle}", now.start or LOOK)
    return passed(code, "the document is built from all that is stored")


def build_failed(facts: Facts, now: Now) -> Finding:
    code = "build_failed"
    letters = [letter for letter in now.letters if letter.stage in ("build", "handle")]
    if letters:
        letter = letters[0]
        what = "could not be built" if letter.stage == "build" else "waits for a handler that fails"
        sentence = f"the document {what}: {letter_text(letter, facts)}. Its last good version stays"
        return blocks(code, sentence, f"mend the function, then: adsindex dead-letters replay '{letter.subject}'")
    failing = [job for job in now.jobs if job.error]
    if failing:
        job = failing[0]
        sentence = f"the job that will build it fails ({counted(job.attempts, 'attempt')}): {job.error}"
        return blocks(code, sentence, f"adsindex jobs list  (job {job.id})")
    return passed(code, "building did not fail")


def reference_missing(facts: Facts) -> Finding:
    code = "reference_missing"
    missing = [one for one in facts.missing if not one.parked]
    if not facts.document.exists or not missing:
        return passed(code, "every row that the document points at is there")
    decisive = [one for one in missing if one.decides]
    texts = [
        f"{one.pointer} points at {one.address}, which is not there" if one.address else f"{one.pointer} is not set"
        for one in decisive or missing
    ]
    first = (decisive or missing)[0]
    step = _mend(first)
    if decisive and not facts.document.servable:
        return blocks(code, f"{listed(texts)}; whether the document may serve depends on it", step)
    return remark(code, f"{listed(texts)}; its fields are empty", step)


def _mend(missing: Missing) -> str:
    """A key is not changed to find another row, and what is sent is not inserted."""
    if not missing.address:
        return f"set {missing.pointer}"
    bring = (
        f"send {missing.address} (adsindex ingest, adsindex backfill)" if missing.feed else f"insert {missing.address}"
    )
    return bring if missing.by_key else f"{bring}, or change {missing.pointer}"


def table_parked(facts: Facts) -> Finding:
    code = "table_parked"
    if not facts.parked_tables:
        return passed(code, "every table that the document reads can be captured")
    table, reason = next(iter(facts.parked_tables.items()))
    sentence = f"table {table} is parked: {reason.rstrip('.')}. Its rows are as they were before"
    return blocks(code, sentence, f"mend table {table} as said; it is read again by itself")


def signal_missing(facts: Facts) -> Finding:
    code = "signal_missing"
    missing = [one for one in facts.signals if not one.known and one.state in ("pending", "failed")]
    if not missing:
        return passed(code, "every signal was answered" if facts.signals else "the document reads no signals")
    one = _worst(missing)
    sentence = f"signal {one.name} has not said anything about {one.key} so far; {_instead(one)}"
    return _signal_finding(facts, one, code, sentence)


def signal_stale(facts: Facts) -> Finding:
    code = "signal_stale"
    stale = [one for one in facts.signals if one.known and _is_stale(one, facts.now_ms)]
    if not stale:
        return passed(code, "no signal is older than allowed" if facts.signals else "the document reads no signals")
    one = _worst(stale)
    age = f"is of {moment(one.fetched_ms, facts.now_ms)}, {span(max(0.0, facts.now_ms - one.fetched_ms))} old"
    sentence = (
        f"what signal {one.name} says about {one.key} {age}, and may be {span(one.max_age_s * 1000)} old at most; "
        f"a newer value could not be had; {_instead(one)}"
    )
    return _signal_finding(facts, one, code, sentence)


def _is_stale(signal: Signal, now_ms: float) -> bool:
    """What was fresh when the document was built is too old when the refresh has had its time to replace it: a document
    that would stay the same is not built again while a service is down."""
    overdue_ms = now_ms - signal.fetched_ms - signal.max_age_s * 1000.0
    refresh_ms = max(signal.max_age_s * 1000.0 / 10, 1000.0)
    late = signal.state == "fresh" and overdue_ms > refresh_ms + _REFRESH_TAKES_MS
    return late or signal.state in ("last_good", "failed")


def _worst(signals: list[Signal]) -> Signal:
    return next((one for one in signals if one.blocks), signals[0])


def _instead(signal: Signal) -> str:
    if signal.blocks:
        return "the document keeps its last content until then"
    if signal.state in ("last_good", "fresh"):
        return f"the last good value is used (version {signal.version})"
    return "its fields are empty until then"


def _signal_finding(facts: Facts, signal: Signal, code: str, sentence: str) -> Finding:
    """What is not servable is so for another reason, which comes later."""
    step = f"adsindex signals says how signal {signal.name} fails; it is asked again by itself"
    return (blocks if signal.blocks or facts.document.servable else remark)(code, sentence, step)


def _had_its_turn(facts: Facts, now: Now) -> bool:
    """It was to be built, and could not be: a later rule says why."""
    failed = any(letter.stage in ("build", "handle") for letter in now.letters)
    held = any(signal.blocks for signal in facts.signals)
    return failed or held or any(not row.healed_ms for row in now.dropped)


def _job(job: Job) -> str:
    return f"{job.id}, lane {job.lane}, {job.done:,} done" + (", paused" if job.state == "paused" else "")


def _job_step(job: Job, now: Now) -> str:
    if job.state == "paused":
        return f"adsindex jobs resume '{job.id}'"
    return now.start if "argus" not in now.running else "adsindex jobs list"
