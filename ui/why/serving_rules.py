"""From the document to readers: may it serve, is it published, have they read it?"""

from ui.why.facts import Facts, Now, Part, Value
from ui.why.finding import Finding, blocks, passed, remark
from ui.why.source_rules import then, waits
from ui.why.words import counted, listed, moment, moment_of, value_text, writer_text

_SAID_BY_ITS_VALUE = ("status", "state")
"""Columns whose value is said of the row itself: "campaign 381 is PAUSED"."""


def not_servable(facts: Facts) -> Finding:
    code, document = "not_servable", facts.document
    if not document.exists:
        return passed(code, "there is no document yet to which the condition applies")
    if document.servable:
        return passed(code, "its condition is true" if facts.condition else "it may always serve")
    if not facts.parts:
        return blocks(code, "the document was built as not servable, though its rows meet the condition by now")
    sentence = listed([_part(part, facts) for part in facts.parts])
    demands = [demand for part in facts.parts if (demand := _demand(part))]
    return blocks(code, sentence, f"To serve again, {listed(demands)}" if demands else "")


def publish_paused(facts: Facts, now: Now) -> Finding:
    code = "publish_paused"
    if not now.publishing_paused:
        return passed(code, "publishing is not paused")
    if now.publication is None:
        return remark(code, f"publishing is paused {now.publishing_paused}; nothing of this document waits", _RESUME)
    return blocks(code, f"publishing is paused {now.publishing_paused}; the newest version waits for that", _RESUME)


def publish_pending(facts: Facts, now: Now) -> Finding:
    code = "publish_pending"
    if now.publication is None or now.publishing_paused:
        return passed(code, "nothing else of it waits to be published")
    sentence = f"the newest version waits to be published{waits(now.publication, facts, now, 'argus')}"
    return blocks(code, sentence, then(now.publication, now))


def dropped_stale(facts: Facts, now: Now) -> Finding:
    code = "dropped_stale"
    if not now.dropped:
        return passed(code, "nothing of it was dropped as stale")
    row = next((one for one in now.dropped if not one.healed_ms), now.dropped[0])
    sentence = f"a change of {row.address} was dropped at {moment(row.dropped_ms, facts.now_ms)} ({row.reason})"
    if row.healed_ms:
        return passed(code, f"{sentence}, and healed at {moment(row.healed_ms, facts.now_ms)}")
    return blocks(code, f"{sentence}; it is to be healed when the lanes are idle", "adsindex lanes heal")


def serving_behind(facts: Facts, now: Now) -> Finding:
    code = "serving_behind"
    behind = [reader for reader in now.readers if reader.behind]
    if not behind:
        known = listed([reader.name for reader in now.readers])
        return passed(code, f"read by {known}" if known else "no reader says where it stands")
    worst = max(behind, key=lambda reader: reader.behind)
    since = moment(worst.since_ms, facts.now_ms)
    sentence = f"reader {worst.name} is {counted(worst.behind, 'message')} behind, at {since}: it has an older version"
    step = f"look at what reader {worst.name} does"
    return blocks(code, sentence, step) if len(behind) == len(now.readers) else remark(code, sentence, step)


_RESUME = "adsindex publish resume"


def _part(part: Part, facts: Facts) -> str:
    if len(part.values) == 1 and part.demand:
        return _value(part.values[0], facts)
    values = listed([_value(value, facts) for value in part.values], 5)
    return f"({part.text}) is {'unknown (NULL)' if part.outcome is None else 'false'}: {values}"


def _value(value: Value, facts: Facts) -> str:
    if not value.exists:
        return f"{value.called} is not there"
    since = f" since {moment_of(value.changed_at, facts.now_ms)}" if value.changed_at else ""
    by = f" ({writer_text(value.writer)})" if value.writer else ""
    shown = value_text(value.value)
    said = f"{value.called} is {shown}"
    if value.column not in _SAID_BY_ITS_VALUE or value.value is None:
        said = f"{value.column} of {value.called} is {shown}"
    return said + since + by


def _demand(part: Part) -> str:
    if not part.demand or len(part.values) != 1:
        return f"({part.text}) must be true"
    (value,) = part.values
    what = value.called if value.column in _SAID_BY_ITS_VALUE else f"{value.column} of {value.called}"
    return f"{what} {part.demand}"
