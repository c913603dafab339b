"""What a rule finds, and the whole answer."""

from typing import Any, Literal

import msgspec

from ui.traces import Trace

State = Literal["passed", "remark", "blocks", "skipped"]


class Finding(msgspec.Struct, frozen=True):
    """One rule's. code: stable. next_step: what to do, a command where there is one; "" when there is nothing to do.

    state   "blocks" serving or freshness; "remark": it applies, and blocks neither; "skipped": it looks at what moves,
            and a time in the past was asked for
    """

    code: str
    state: State
    sentence: str
    next_step: str = ""


class Why(msgspec.Struct, kw_only=True):
    """The answer. code: of the first finding that blocks, else "serving".

    serving     readers have a version that may be served (perhaps an old one)
    current     nothing is under way: what readers have is what the source says
    sentence    for people; it says everything that they need
    as_of       commit timestamp that was asked for; None: now
    trace       of the newest version
    """

    type: str
    id: Any
    source: str
    code: str
    serving: bool
    current: bool
    sentence: str
    next_step: str
    as_of: int | None
    findings: list[Finding]
    trace: Trace | None


def passed(code: str, sentence: str) -> Finding:
    return Finding(code, "passed", sentence)


def remark(code: str, sentence: str, next_step: str = "") -> Finding:
    return Finding(code, "remark", sentence, next_step)


def blocks(code: str, sentence: str, next_step: str = "") -> Finding:
    return Finding(code, "blocks", sentence, next_step)
