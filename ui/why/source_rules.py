"""From the database to the Repo: is the row there, is it captured, is it applied?"""

from ui.why.facts import Capture, Facts, Letter, Now, Waiting
from ui.why.finding import Finding, blocks, passed, remark
from ui.why.words import counted, listed, moment, moment_of, span, writer_text

LOOK = "adsindex status"


def unknown_id(facts: Facts) -> Finding:
    code, row = "unknown_id", facts.row
    if row.ever or facts.document.sequence:
        return passed(code, f"{facts.called} is known")
    if row.in_source:
        return passed(code, f"{row.address} is a row of the database")
    if row.in_source is None and facts.parked_tables and facts.as_of is None:
        return passed(code, f"whether {row.address} is there can't be seen: {row.unseen}")
    if facts.as_of is not None:
        return blocks(code, f"there was no {facts.called} at {moment_of(facts.as_of, facts.now_ms)}")
    told = "the database has no such row" if row.in_source is False else row.unseen
    sentence = f"there is no {facts.called}: no row {row.address} was ever stored (or its traces are gone), and {told}"
    return blocks(code, sentence, "check the id: adsindex docs lists all documents")


def not_in_source(facts: Facts) -> Finding:
    code, row = "not_in_source", facts.row
    if row.in_source or (row.in_source is None and not row.deleted_at):
        seen = "is in the database" if row.in_source else "is there, as far as it is stored"
        return passed(code, f"{row.address} {seen}")
    again = f"insert {row.address} again, if it is to serve"
    if not row.ever:
        return passed(code, "nothing was ever there")
    if row.deleted_at:
        when = moment_of(row.deleted_at, facts.now_ms)
        return blocks(code, f"{row.address} was deleted at {when}{_by(row.deleted_by)}", again)
    return blocks(code, f"{row.address} is no longer in the database; its deletion has not arrived here yet", again)


def capture_behind(facts: Facts, now: Now) -> Finding:
    code, capture = "capture_behind", now.capture
    if capture.position is None:
        return blocks(code, f"nothing of source {capture.source} is captured yet{_idle(now, 'gateway')}", now.start)
    if capture.newest is None:
        return remark(code, f"how far source {capture.source} is can't be seen: {capture.error}")
    if capture.reading and not facts.document.exists:
        return blocks(code, f"{listed(capture.reading)} of source {capture.source} is still being read", LOOK)
    if capture.waiting:
        return _behind(facts, now, capture)
    if "gateway" not in now.running:
        sentence = (
            f"every change so far is captured, but nothing runs that would capture the next one of {facts.called}"
        )
        return remark(code, sentence, now.start)
    if capture.reading:
        return remark(code, f"{listed(capture.reading)} of source {capture.source} is being compared again")
    return passed(code, f"every change of source {capture.source} is captured (position {capture.position})")


def capture_failed(facts: Facts, now: Now) -> Finding:
    code, capture = "capture_failed", now.capture
    letters = [letter for letter in now.letters if letter.stage == "capture"]
    if letters:
        return blocks(code, letter_text(letters[0], facts), f"adsindex dead-letters show '{letters[0].subject}'")
    if not capture.error:
        return passed(code, "capture does not fail")
    failing = f"source {capture.source} can't be captured: {capture.error}"
    if "gateway" in now.running and (capture.newest is None or capture.waiting):
        return blocks(code, failing, "adsindex doctor")
    return remark(code, failing, "adsindex doctor")


def apply_pending(facts: Facts, now: Now) -> Finding:
    code, waiting = "apply_pending", now.apply
    if waiting is None:
        return passed(code, "what is captured is applied")
    return blocks(
        code, f"a captured change waits to be applied{waits(waiting, facts, now, 'updater')}", then(waiting, now)
    )


def apply_failed(facts: Facts, now: Now | None) -> Finding:
    code = "apply_failed"
    letters = [letter for letter in now.letters if letter.stage == "apply"] if now is not None else []
    if letters:
        letter = min(letters, key=lambda one: not one.own)
        others = [one.subject for one in letters if one is not letter]
        more = f"; so did {listed(others)}" if others else ""
        sentence = f"{letter_text(letter, facts)}{more}. The document has its values from before"
        mend = listed([letter.subject, *others])
        return blocks(code, sentence, f"mend {mend} in the database: what is mended is read again by itself")
    if facts.parked_rows:
        address, reason = next(iter(facts.parked_rows.items()))
        sentence = f"{address} could not be stored: {reason}. The document has its values from before"
        return blocks(code, sentence, f"mend {address} in the database: it is read again by itself")
    return passed(code, "every row that the document reads could be stored")


def waits(waiting: Waiting, facts: Facts, now: Now, role: str) -> str:
    """: campaigns/381, in lane high, behind 37 others, about 2 s; the lane is paused since ..."""
    place = f"behind {counted(waiting.ahead, 'other')}" if waiting.ahead else "next in turn"
    since = f", waiting since {moment(waiting.since_ms, facts.now_ms)}" if waiting.since_ms else ""
    parts = [f": {waiting.about}, in lane {waiting.lane}, {place}{since}" if waiting.about else f", {place}"]
    if waiting.paused:
        parts.append(f"; the lane is paused {waiting.paused}")
    elif waiting.error:
        parts.append(f"; its turn fails: {waiting.error}")
    elif role not in now.running:
        parts.append(_idle(now, role))
    elif waiting.estimate_ms is not None:
        parts.append(f"; its turn is in about {span(waiting.estimate_ms)}")
    return "".join(parts)


def then(waiting: Waiting, now: Now) -> str:
    """The command that lets it go on."""
    return waiting.resume or now.start or LOOK


def letter_text(letter: Letter, facts: Facts) -> str:
    """`ads/4711 failed: column price: 'abc' is not ... (3 attempts, the last at 10:40:12.004 UTC)`."""
    column = f"{letter.column}: " if letter.column and not letter.reason.startswith("column ") else ""
    tries = counted(letter.attempts, "attempt")
    last = moment(letter.last_ms, facts.now_ms)
    return f"{letter.subject} failed: {column}{letter.reason} ({tries}, the last at {last})"


def _behind(facts: Facts, now: Now, capture: Capture) -> Finding:
    code = "capture_behind"
    count = counted(capture.waiting, "change")
    place = f"it is captured up to position {capture.position} of {capture.newest}"
    if not capture.touched and facts.row.ever:
        sentence = (
            f"{count} of source {capture.source} still to be captured, none to a row that is known to matter here"
        )
        return remark(code, sentence, now.start)
    rows = f" to {listed(capture.touched)}" if capture.touched else ""
    sentence = f"{count} in source {capture.source} still to be captured,{rows or ' this row'} among them; {place}"
    if capture.error and "gateway" in now.running:
        return remark(code, sentence)  # capture_failed says why
    return blocks(code, sentence + _idle(now, "gateway"), now.start or LOOK)


def _idle(now: Now, role: str) -> str:
    if role in now.running:
        return ""
    return f"; no process does that: the {role} does not run" if now.running else "; nothing runs"


def _by(writer: str) -> str:
    return f" ({writer_text(writer)})" if writer else ""
